{{- define "benchwarden.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "benchwarden.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Two releases may give permissions in one namespace: what is outside the release's own carries its name. */}}
{{- define "benchwarden.foreignName" -}}
{{- printf "%s-%s" (include "benchwarden.fullname" .) .Release.Namespace | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "benchwarden.selectorLabels" -}}
app.kubernetes.io/name: {{ include "benchwarden.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{- define "benchwarden.labels" -}}
{{- $ours := dict
  "app.kubernetes.io/name" (include "benchwarden.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/component" "operator"
  "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_")
  "app.kubernetes.io/part-of" "benchwarden"
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- toYaml (merge $ours .Values.commonLabels) }}
{{- end }}

{{- define "benchwarden.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "benchwarden.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- /* Takes {root, image}. */}}
{{- define "benchwarden.image" -}}
{{- $registry := .root.Values.imageRegistry | trimSuffix "/" }}
{{- $name := ternary (printf "%s/%s" $registry .image.repository) .image.repository (ne $registry "") }}
{{- if .image.digest }}
{{- printf "%s@%s" $name .image.digest }}
{{- else }}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion .image.tag) }}
{{- end }}
{{- end }}

{{- /* A JSON list, to be read with fromJsonArray; empty = the whole cluster. */}}
{{- define "benchwarden.namespaces" -}}
{{- if .Values.clusterWide }}
{{- if .Values.watchNamespaces }}
{{- fail "clusterWide watches every namespace: set watchNamespaces: [], or clusterWide: false" }}
{{- end }}
{{- list | toJson }}
{{- else }}
{{- default (list .Release.Namespace) .Values.watchNamespaces | uniq | toJson }}
{{- end }}
{{- end }}

{{- define "benchwarden.subjects" -}}
- kind: ServiceAccount
  name: {{ include "benchwarden.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
