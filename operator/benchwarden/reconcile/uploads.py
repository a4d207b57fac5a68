"""Whether the run's artifacts are where they should be: told by each pod's uploader when the pod ends.

A failed upload costs no verdict, so it is a condition of its own and stays once it is false: the files are gone
with their pod.
"""

from benchwarden import names
from benchwarden.artifacts import word
from benchwarden.reconcile import observed as seen
from benchwarden.reconcile.conditions import FALSE, TRUE, UNKNOWN, Condition, find
from benchwarden.reconcile.observed import ObservedContainer
from benchwarden.reconcile.world import BatchView, World


def artifacts_kept(world: World, *, ended: bool) -> tuple[Condition, ...]:
    """The condition ArtifactsKept; none for a run that keeps no artifacts."""
    kind = names.CONDITION_ARTIFACTS_KEPT
    if world.run.spec.artifacts.none is not None:
        return ()
    before = find(world.run.status.get("conditions") or [], kind)
    if before.get("status") == FALSE:
        return (Condition(kind, FALSE, str(before["reason"]), str(before.get("message", ""))),)
    for view in world.batches:
        failure = _failure(view)
        if failure:
            text = f"{view.batch.name}: {failure}"
            return (Condition(kind, FALSE, names.REASON_UPLOAD_FAILED, text),)
    if ended and not any(_may_upload(view) for view in world.batches):
        return (Condition(kind, TRUE, names.REASON_UPLOADED),)
    return (Condition(kind, UNKNOWN, names.REASON_IN_PROGRESS),)


def _failure(view: BatchView) -> str:
    """What the batch's uploader could not do; empty if it has done all, or has not ended."""
    uploader = _uploader(view)
    if uploader is None or uploader.state != seen.TERMINATED:
        return ""
    said = word.decode(uploader.message)
    if said is None:
        ended = f"{uploader.exit_code} {uploader.reason}".strip()
        return f"the uploader ended without a word ({ended})"
    if said.failed:
        return f"artifacts of {said.failed} launches could not be uploaded; {said.error}"
    return ""


def _may_upload(view: BatchView) -> bool:
    uploader = _uploader(view)
    return not view.batch.gone and uploader is not None and uploader.state != seen.TERMINATED


def _uploader(view: BatchView) -> ObservedContainer | None:
    pod = view.batch.pod
    if pod is None:
        return None
    return next((each for each in pod.containers if each.name == names.CONTAINER_UPLOADER), None)
