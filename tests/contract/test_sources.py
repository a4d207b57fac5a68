import asyncio
import base64

import pytest
from tests.contract.fake_api import At, FakeApi, Fault, status_object

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.resources import CONFIG_MAPS
from benchwarden.kube.sources import ConfigMapSource

PATH = CONFIG_MAPS.collection("bench")


async def test_text_and_binary_keys_are_read_from_a_thread(api: FakeApi) -> None:
    packed = base64.b64encode(b"\x1f\x8b\x00").decode()
    api.put(PATH, "suite", data={"tasks.jsonl": "{}\né"}, binaryData={"tasks.gz": packed})
    async with KubeClient(At(api.url)) as client:
        source = ConfigMapSource(client, "bench")
        text = await asyncio.to_thread(source.read_config_map, "suite", "tasks.jsonl")
        binary = await asyncio.to_thread(source.read_config_map, "suite", "tasks.gz")
    assert text == "{}\né".encode()
    assert binary == b"\x1f\x8b\x00"


async def test_what_is_missing_is_named_with_what_is_there(api: FakeApi) -> None:
    api.put(PATH, "suite", data={"a": ""}, binaryData={"b": "!"})
    async with KubeClient(At(api.url)) as client:
        source = ConfigMapSource(client, "bench")
        with pytest.raises(InvalidInputError, match="has no key 'tasks'; it holds: a, b") as error:
            await source.read("suite", "tasks")
        assert error.value.reason == names.REASON_SUITE_UNAVAILABLE
        with pytest.raises(InvalidInputError, match="bench/other does not exist"):
            await source.read("other", "tasks")
        with pytest.raises(InvalidInputError, match="no key 'b'"):
            await source.read("suite", "b")


async def test_a_config_map_that_may_not_be_read_is_the_users_to_fix(api: FakeApi) -> None:
    import json

    refusal = status_object(403, "Forbidden", 'User "x" cannot get resource "configmaps"')
    api.faults.append(Fault(403, body=json.dumps(refusal).encode()))
    async with KubeClient(At(api.url)) as client:
        with pytest.raises(InvalidInputError, match="cannot get resource"):
            await ConfigMapSource(client, "bench").read("suite", "tasks")
