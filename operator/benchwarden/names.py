"""Every string that crosses a boundary: labels, annotations, reasons, environment variables, exit codes."""

from typing import Final

GROUP: Final = "benchwarden.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
RUN_KIND: Final = "BenchmarkRun"
RUN_PLURAL: Final = "benchmarkruns"
SCHEDULE_KIND: Final = "BenchmarkSchedule"
SCHEDULE_PLURAL: Final = "benchmarkschedules"
FIELD_MANAGER: Final = "benchwarden"
CLI_FIELD_MANAGER: Final = "kubectl-benchwarden"
COMPONENT: Final = "benchwarden-operator"

# Labels, on everything the operator creates.
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"
LABEL_COMPONENT: Final = "app.kubernetes.io/component"
MANAGED_BY: Final = "benchwarden"
LABEL_RUN: Final = f"{GROUP}/run"  # the run's name, shortened to 63 characters
LABEL_RUN_UID: Final = f"{GROUP}/run-uid"
LABEL_ROLE: Final = f"{GROUP}/role"
LABEL_SCHEDULE: Final = f"{GROUP}/schedule"  # the schedule's name, shortened to 63 characters
LABEL_SCHEDULE_UID: Final = f"{GROUP}/schedule-uid"
LABEL_SERIES: Final = f"{GROUP}/series"  # which of a schedule's series a run belongs to
LABEL_QUEUE: Final = "kueue.x-k8s.io/queue-name"

ROLE_BATCH: Final = "batch"  # a Job that works on instances
ROLE_PROBE: Final = "probe"  # the Job that checks the agent before the fan-out
ROLE_RELEASE: Final = "release"  # the ConfigMap that pins the agent CLI of a run
ROLE_PLAN: Final = "plan"  # the ConfigMap that freezes what a run consists of
ROLE_INPUT: Final = "input"  # a ConfigMap with the files a batch needs
ROLE_RESULTS: Final = "results"  # a ConfigMap shard of result rows
ROLE_NETWORK: Final = "network"  # the NetworkPolicy of a run
ROLE_CELLS: Final = "cells"  # a ConfigMap shard of a schedule's daily cells

SERIES_LATEST: Final = "latest"  # what the template says
SERIES_PINNED: Final = "pinned"  # the same with the CLI version that `pinned` names
SERIES_CONTROL: Final = "control"  # a few instances with the model that `control` names

# Annotations.
ANNOTATION_MEMBERS: Final = (
    f"{GROUP}/members"  # JSON [[instance, trial, launch], ...] on a batch Job
)
ANNOTATION_RUN_NAME: Final = f"{GROUP}/run-name"
ANNOTATION_SLOT: Final = f"{GROUP}/slot"  # RFC 3339: the moment of the schedule a run stands for
ANNOTATION_TRIALS_FACTOR: Final = f"{GROUP}/trials-factor"  # how often a closer look runs the panel
ANNOTATION_CONFIG_DIGEST: Final = f"{GROUP}/user-config-digest"
ANNOTATION_RESTORING: Final = f"{GROUP}/restoring"  # an import is not done with it: left alone
ANNOTATION_TRACEPARENT: Final = f"{GROUP}/traceparent"

# Container names in a batch pod; agents and graders carry the member's position: agent-0, grade-0.
CONTAINER_INJECT: Final = "inject"
CONTAINER_UPLOADER: Final = "uploader"
CONTAINER_FINISH: Final = "finish"
CONTAINER_PROBE: Final = "probe"
AGENT_PREFIX: Final = "agent-"
GRADE_PREFIX: Final = "grade-"

# Paths inside a batch pod.
MOUNT_ROOT: Final = "/benchwarden"
MOUNT_TOOLS: Final = "/benchwarden/tools"
MOUNT_INPUT: Final = "/benchwarden/input"
MOUNT_WORK: Final = "/benchwarden/work"
MOUNT_LOGS: Final = "/benchwarden/logs"  # what graders leave for the uploader
MOUNT_INPUTS: Final = (
    "/benchwarden/inputs"  # the uploader's view of the agents' inputs, by position
)
MOUNT_ARTIFACTS: Final = "/benchwarden/artifacts"  # the volume for artifacts, in the uploader alone
MOUNT_CA: Final = "/benchwarden/ca"
MOUNT_CACHE: Final = "/benchwarden/cache"  # in inject only
MOUNT_USER_CONFIG: Final = "/benchwarden/user-config"
RUNNER_APP: Final = "/opt/benchwarden/app"  # in the runner image
CA_FILE: Final = "ca.crt"
CA_VARIABLES: Final = (  # who reads a bundle of certificates: OpenSSL, Node and Bun, requests, curl, git, pip
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
)
ENV_CA_FILE: Final = "SSL_CERT_FILE"
ENV_UPLOAD: Final = "BENCHWARDEN_UPLOAD"  # JSON: what an uploader is to do
ENV_AWS_ACCESS_KEY_ID: Final = "AWS_ACCESS_KEY_ID"
ENV_AWS_SECRET_ACCESS_KEY: Final = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
ENV_AWS_SESSION_TOKEN: Final = "AWS_SESSION_TOKEN"  # noqa: S105 - the name of a variable
ENV_AWS_REGION: Final = "AWS_REGION"
ENV_AWS_ENDPOINT_URL: Final = "AWS_ENDPOINT_URL"  # of a storage service that is not AWS, for suites
ENV_AWS_NO_METADATA: Final = "AWS_EC2_METADATA_DISABLED"
ENV_API_KEY: Final = "ANTHROPIC_API_KEY"
ENV_AUTH_TOKEN: Final = "ANTHROPIC_AUTH_TOKEN"  # noqa: S105 - the name of a variable
PROXY_VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")  # lower case counts too
LABEL_ARCHITECTURE: Final = "kubernetes.io/arch"
LABEL_NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
RESOLV_CONF: Final = "/etc/resolv.conf"
TERMINATION_MESSAGE_PATH: Final = "/dev/termination-log"
INPUT_AGENT: Final = "agent.tgz"  # prompt and agent.json
INPUT_GOLD: Final = "gold.tgz"  # gold.patch, mounted in oracle agents only
INPUT_GRADE: Final = "grade.tgz"  # grade.json, tests and parser, mounted in graders only

# Limits.
MAX_BATCH_SIZE: Final = 12
INPUT_CONFIG_MAP_BYTES: Final = 900 * 1024
RESULT_SHARD_BYTES: Final = 200 * 1024
STATUS_BYTES: Final = 100 * 1000
MAX_SAMPLE_ERRORS: Final = 20

# Condition types of a BenchmarkRun.
CONDITION_ACCEPTED: Final = "Accepted"
CONDITION_PLANNED: Final = "Planned"
CONDITION_PROGRESSING: Final = "Progressing"
CONDITION_SUCCEEDED: Final = "Succeeded"
CONDITION_REGRESSED: Final = "Regressed"
CONDITION_ARTIFACTS_KEPT: Final = "ArtifactsKept"

# Condition types of a BenchmarkSchedule, beside Accepted.
CONDITION_SCHEDULING: Final = "Scheduling"
CONDITION_BASELINE_READY: Final = "BaselineReady"
CONDITION_DEGRADED: Final = "Degraded"
CONDITION_DATA_QUALITY: Final = "DataQuality"

# Condition reasons. Accepted:
REASON_VALID: Final = "Valid"
REASON_INVALID_SPEC: Final = "InvalidSpec"
REASON_SUITE_INVALID: Final = "SuiteInvalid"
REASON_SUITE_UNAVAILABLE: Final = "SuiteUnavailable"
REASON_EMPTY_PANEL: Final = "EmptyPanel"
REASON_INSTANCE_TOO_LARGE: Final = "InstanceTooLarge"
REASON_UNSUPPORTED: Final = "Unsupported"
# Planned:
REASON_PLANNED: Final = "Planned"
REASON_RESOLVING: Final = "ResolvingVersion"
REASON_UNKNOWN_CLI_VERSION: Final = "UnknownCliVersion"
REASON_REGISTRY_UNAVAILABLE: Final = "RegistryUnavailable"
REASON_PROBING: Final = "Probing"
REASON_PROBE_FAILED: Final = "ProbeFailed"
REASON_AUTHENTICATION_FAILED: Final = "AuthenticationFailed"
REASON_UNKNOWN_MODEL: Final = "UnknownModel"
REASON_CLI_TOO_OLD: Final = "CliTooOld"
REASON_CLI_VERSION_MISMATCH: Final = "CliVersionMismatch"
REASON_PLAN_CHANGED: Final = "PlanChanged"
# Progressing:
REASON_STARTING: Final = "Starting"
REASON_RUNNING: Final = "Running"
REASON_QUEUED: Final = "Queued"
REASON_SUSPENDED: Final = "Suspended"
REASON_FINISHED: Final = "Finished"
REASON_POD_SECURITY: Final = "PodSecurityViolation"
REASON_QUOTA: Final = "QuotaExceeded"
REASON_POD_REFUSED: Final = "PodRefused"
REASON_WAITING_FOR_PODS: Final = "WaitingForPods"
# Succeeded:
REASON_COMPLETED: Final = "Completed"
REASON_COMPLETED_WITH_MISSING: Final = "CompletedWithMissing"
REASON_CANCELLED: Final = "Cancelled"
REASON_BUDGET_SPENT: Final = "BudgetSpent"
REASON_NO_VERDICTS: Final = "NoVerdicts"
REASON_IN_PROGRESS: Final = "InProgress"
# Regressed:
REASON_WORSE: Final = "Worse"
REASON_NOT_WORSE: Final = "NotWorse"
REASON_INCONCLUSIVE: Final = "Inconclusive"
REASON_BASE_UNAVAILABLE: Final = "BaseUnavailable"
REASON_NOT_COMPARED: Final = "NotCompared"
# ArtifactsKept, beside InProgress:
REASON_UPLOADED: Final = "Uploaded"
REASON_UPLOAD_FAILED: Final = "UploadFailed"
# Scheduling:
REASON_SCHEDULED: Final = "Scheduled"
REASON_PREVIOUS_RUN_ACTIVE: Final = "PreviousRunActive"
REASON_RUN_REFUSED: Final = "RunRefused"
# BaselineReady:
REASON_FROZEN: Final = "Frozen"
REASON_COLLECTING: Final = "Collecting"
REASON_BASELINE_IMPOSSIBLE: Final = "BaselineImpossible"
# Degraded:
REASON_NO_DEGRADATION: Final = "NoDegradation"
REASON_WATCHING: Final = "Watching"
REASON_SUSPECTED: Final = "DegradationSuspected"
REASON_CONFIRMED: Final = "DegradationConfirmed"
REASON_RESOLVED: Final = "Resolved"
# DataQuality:
REASON_COMPLETE: Final = "Complete"
REASON_INCOMPLETE: Final = "Incomplete"
REASON_DAY_HELD: Final = "DayHeld"
REASON_NO_DATA: Final = "NoData"
REASON_HISTORY_CHANGED: Final = "HistoryChanged"

# Event reasons, beside the condition reasons above.
EVENT_RUN_CREATED: Final = "RunCreated"
EVENT_RUN_CANCELLED: Final = "RunReplaced"
EVENT_SLOT_MISSED: Final = "SlotMissed"
EVENT_BASELINE_FROZEN: Final = "BaselineFrozen"
EVENT_NEW_SERIES: Final = "NewSeries"
EVENT_SERIES_COMPARED: Final = "SeriesCompared"
EVENT_NOT_CONFIRMED: Final = "DegradationNotConfirmed"
EVENT_DAY_VOIDED: Final = "DayVoided"
EVENT_ACKNOWLEDGED: Final = "AlarmAcknowledged"
EVENT_RESULTS_UNREADABLE: Final = "ResultsUnreadable"
EVENT_INSTANCE_CHARGED: Final = "InfrastructureFailure"
EVENT_LIMIT_REACHED: Final = "LimitReached"

# Environment of the operator.
ENV_RUNNER_IMAGE: Final = "BENCHWARDEN_RUNNER_IMAGE"
ENV_UPLOADER_IMAGE: Final = "BENCHWARDEN_UPLOADER_IMAGE"  # the operator's own; empty = no artifacts
ENV_NAMESPACES: Final = "BENCHWARDEN_NAMESPACES"  # comma-separated; empty = the whole cluster
ENV_POD_NAME: Final = "BENCHWARDEN_POD_NAME"
ENV_POD_NAMESPACE: Final = "BENCHWARDEN_POD_NAMESPACE"
ENV_METRICS_PORT: Final = "BENCHWARDEN_METRICS_PORT"
ENV_HEALTH_PORT: Final = "BENCHWARDEN_HEALTH_PORT"
ENV_RUNNER_PULL_POLICY: Final = "BENCHWARDEN_RUNNER_PULL_POLICY"
ENV_LEASE_SECONDS: Final = "BENCHWARDEN_LEASE_SECONDS"
ENV_REQUESTS_PER_SECOND: Final = "BENCHWARDEN_REQUESTS_PER_SECOND"
ENV_MUST_FAIL_ADDRESS: Final = "BENCHWARDEN_MUST_FAIL_ADDRESS"
ENV_GATEWAY_SERVICE: Final = "BENCHWARDEN_GATEWAY_SERVICE"  # NAME.NAMESPACE
ENV_GATEWAY_LABELS: Final = "BENCHWARDEN_GATEWAY_LABELS"  # KEY=VALUE,... of the gateway's pods
ENV_KUBERNETES_HOST: Final = "KUBERNETES_SERVICE_HOST"  # the kubelet sets these two in every pod
ENV_KUBERNETES_PORT: Final = "KUBERNETES_SERVICE_PORT"
ENV_CACHE: Final = "BENCHWARDEN_CACHE"

# Marks all processes of one local container, so that those who left its session are found.
ENV_LOCAL_CONTAINER: Final = "BENCHWARDEN_LOCAL_CONTAINER"

# Exit codes of the command line.
EXIT_OK: Final = 0
EXIT_FAILED: Final = 1  # the operation ran and did not succeed
EXIT_USAGE: Final = 2  # bad input: nothing was done
EXIT_UNAVAILABLE: Final = 3  # something needed is not there (cluster, binary, privilege)
EXIT_REGRESSED: Final = 4  # a comparison says: worse
EXIT_FORBIDDEN: Final = 5  # the cluster does not let this user do it
EXIT_NOT_FOUND: Final = 6  # the cluster has nothing of that name
EXIT_INTERRUPTED: Final = 130
