{{/* What is the same in every object: call with (list $ "api"). */}}
{{- define "welcomat.fullname" -}}
{{- printf "%s-%s" (.Release.Name | trunc 40 | trimSuffix "-") .Chart.Name -}}
{{- end }}

{{- define "welcomat.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "welcomat.labels" -}}
{{- $root := index . 0 -}}
{{ include "welcomat.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{- define "welcomat.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The variables of a program: (dict "settings" map "secrets" map). A secret's variable names its file. */}}
{{- define "welcomat.env" -}}
{{- range $setting, $value := .settings }}
- name: WELCOMAT_{{ $setting | upper | replace "." "_" }}
  {{- /* A large number would be written with an exponent. */}}
  value: {{ ternary (int64 $value) $value (kindIs "float64" $value) | toString | quote }}
{{- end }}
{{- range $setting, $secret := .secrets }}
{{- if $secret }}
- name: WELCOMAT_{{ $setting | upper | replace "." "_" }}_FILE
  value: /run/secrets/welcomat/{{ $setting }}
{{- end }}
{{- end }}
{{- end }}

{{/* The volume with the files of a program's secrets. */}}
{{- define "welcomat.secrets" -}}
- name: secrets
  projected:
    # Root's, and for the program's group to read.
    defaultMode: 0440
    sources:
      {{- range $setting, $secret := . }}
      {{- if $secret }}
      - secret:
          name: {{ $secret.name }}
          items: [{ key: {{ $secret.key | quote }}, path: {{ $setting | quote }} }]
      {{- end }}
      {{- end }}
{{- end }}

{{- define "welcomat.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "welcomat.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Where pods go: over nodes and zones. (list $ "api") */}}
{{- define "welcomat.placement" -}}
{{- $values := index (index . 0).Values (index . 1) -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "welcomat.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
