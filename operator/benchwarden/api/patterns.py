"""Every pattern of the API with its meaning in words, for messages that people read.

Written for Go's regexp (the API server), Rust's (pydantic) and Python's alike: no look-around, no digit class.
"""

from typing import Final

QUANTITY: Final = r"^[0-9]{1,12}(\.[0-9]{1,6})?(Ki|Mi|Gi|Ti|Pi|m|k|M|G|T|P)?$"
MONEY: Final = r"^[0-9]{1,9}(\.[0-9]{1,4})?$"
DNS_SUBDOMAIN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
DNS_LABEL: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DATA_KEY: Final = r"^[-._a-zA-Z0-9]+$"
ENV_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
LABEL_KEY: Final = (
    r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
LABEL_VALUE: Final = r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"
INSTANCE_ID: Final = r"^[^\s]+$"
PATH: Final = r"^/[^\s]*$"
FOLDER: Final = r"^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$"
SHA256: Final = r"^[a-f0-9]{64}$"
SOURCE_URL: Final = r"^(https|s3)://[^\s]+$"
HTTP_URL: Final = r"^https?://[^\s]+$"
S3_URL: Final = r"^s3://[a-z0-9][a-z0-9.-]*(/[^\s]*)?$"
CLI_VERSION: Final = r"^(latest|[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}(-[0-9A-Za-z.-]{1,40})?)$"
MODEL: Final = r"^[A-Za-z0-9][A-Za-z0-9._:/@-]*(\[1m\])?$"
TOOL: Final = r"^[A-Za-z][A-Za-z0-9_.:-]*(\([^)]*\))?$"
DATASET_ID: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$"
REVISION: Final = r"^[A-Za-z0-9._/-]+$"
CIDR: Final = r"^[0-9a-fA-F:.]+/[0-9]{1,3}$"
IMAGE_PREFIX: Final = r"^[a-z0-9][a-z0-9._:/@-]*$"
_CRON_FIELD: Final = r"[-0-9A-Za-z*/,?#]+"
CRON: Final = (
    r"^(@(annually|yearly|monthly|weekly|daily|midnight|hourly)"
    rf"|{_CRON_FIELD}( +{_CRON_FIELD}){{4}})$"
)
TIME_ZONE: Final = r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}$"
DAY: Final = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
RATIO: Final = r"^(0\.[0-9]{1,4}|1(\.0{1,4})?)$"
EXACT_VERSION: Final = r"^[0-9]{1,5}\.[0-9]{1,5}\.[0-9]{1,5}(-[0-9A-Za-z.-]{1,40})?$"

MEANINGS: Final = {
    QUANTITY: 'a quantity: a number with an optional unit, such as "500m", "2" or "4Gi"',
    MONEY: 'US dollars: digits with up to four decimals, such as "5" or "0.25"',
    DNS_SUBDOMAIN: "a name: lower-case letters, digits, '-' and '.', a letter or digit at both ends",
    DNS_LABEL: "a name: lower-case letters, digits and '-', a letter or digit at both ends",
    DATA_KEY: "a key: letters, digits, '-', '_' and '.'",
    ENV_NAME: "a variable name: letters, digits and '_', no digit first",
    LABEL_KEY: "a label key, such as 'example.com/pool' or 'pool'",
    LABEL_VALUE: "a label value: letters, digits, '-', '_' and '.', a letter or digit at both ends",
    INSTANCE_ID: "an instance id: no spaces",
    PATH: "an absolute path: it starts with '/' and has no spaces",
    FOLDER: "a relative folder, such as 'results/nightly'",
    SHA256: "a sha256: 64 lower-case hex digits",
    SOURCE_URL: "an https:// or s3:// address",
    HTTP_URL: "an http:// or https:// address",
    S3_URL: "an address such as s3://bucket/prefix",
    CLI_VERSION: "an exact version such as 2.1.330, or latest",
    MODEL: "a model id",
    TOOL: "a tool name such as Bash or Edit",
    DATASET_ID: "a dataset id such as owner/name",
    REVISION: "a commit or tag",
    CRON: "a cron expression of five fields such as '30 2 * * *', or @daily and the like",
    TIME_ZONE: "a time zone such as Europe/Berlin or Etc/UTC",
    DAY: "a day such as 2026-03-01",
    RATIO: 'a share between 0 and 1 as text, such as "0.05" for 5 points',
    EXACT_VERSION: "an exact version such as 2.1.330",
    CIDR: "a CIDR such as 203.0.113.0/24",
    IMAGE_PREFIX: "the start of an image reference, in lower case, such as 'docker.io/library/'",
}
