{{- define "benchwarden.gatewayName" -}}
{{- printf "%s-gateway" (include "benchwarden.fullname" .) }}
{{- end }}

{{- /* Labels of the gateway's pods, as KEY=VALUE,KEY=VALUE. */}}
{{- define "benchwarden.gatewayLabels" -}}
{{- $pairs := list }}
{{- range $key, $value := set (include "benchwarden.selectorLabels" . | fromYaml) "app.kubernetes.io/component" "gateway" }}
{{- $pairs = append $pairs (printf "%s=%s" $key $value) }}
{{- end }}
{{- join "," $pairs }}
{{- end }}

{{- /* HAProxy's configuration. Takes {gateway, host, port, tls, path}; the key comes from the environment. */}}
{{- define "benchwarden.gatewayConfig" -}}
global
  log stdout format raw local0 info
  maxconn {{ .gateway.maxConnections }}
  no strict-limits

defaults
  mode http
  log global
  option dontlognull
  timeout connect 10s
  timeout http-request 60s
  timeout queue 60s
  timeout client {{ .gateway.idleTimeoutSeconds }}s
  timeout server {{ .gateway.idleTimeoutSeconds }}s

resolvers cluster
  parse-resolv-conf
  accepted_payload_size 8192
  hold valid 30s

frontend runs
  bind :8080
  http-request set-log-level silent if { path /healthz }
  http-request return status 200 content-type text/plain string ok if { path /healthz }
  # /runs/NAME before the path tells the log whose request it was, and goes no further.
  http-request set-var(txn.run) path,field(3,/) if { path_beg /runs/ }
  http-request replace-path ^/runs/[^/]+(/.*)$ \1
  http-request deny deny_status 404 unless { path {{ join " " .gateway.paths }} }
  {{- if .path }}
  http-request set-path {{ .path }}%[path]
  {{- end }}
  http-request del-header authorization
  http-request del-header x-api-key
  http-request del-header proxy-authorization
  {{- if eq .gateway.auth "bearer" }}
  http-request set-header authorization "Bearer ${BENCHWARDEN_GATEWAY_KEY}"
  {{- else }}
  http-request set-header x-api-key "${BENCHWARDEN_GATEWAY_KEY}"
  {{- end }}
  http-request set-header host {{ .host }}{{ if not (has .port (list "443" "80")) }}:{{ .port }}{{ end }}
  log-format '{"run":"%[var(txn.run),json(utf8s)]","status":%ST,"milliseconds":%Ta,"bytes":%B,"ended":"%ts"}'
  default_backend model

backend model
  {{- if .tls }}
  server model {{ .host }}:{{ .port }} ssl verify required ca-file @system-ca sni str({{ .host }}) verifyhost {{ .host }} resolvers cluster resolve-prefer ipv4 init-addr last,libc,none
  {{- else }}
  server model {{ .host }}:{{ .port }} resolvers cluster resolve-prefer ipv4 init-addr last,libc,none
  {{- end }}
{{- end }}
