{{- define "authkit.labels" -}}
app.kubernetes.io/name: authkit-server
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "authkit.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}{{ with .Values.image.digest }}@{{ . }}{{ end }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  capabilities: { drop: ["ALL"] }
  seccompProfile: { type: RuntimeDefault }
env:
  - { name: AUTHKIT_ENV, value: production }
  - { name: AUTHKIT_ISSUER, value: {{ required "issuer is required" .Values.issuer | quote }} }
  - { name: AUTHKIT_HTTP_WORKERS, value: {{ .Values.httpWorkers | quote }} }
  - { name: AUTHKIT_HASHING_WORKERS, value: {{ .Values.hashingWorkers | quote }} }
  - { name: AUTHKIT_SHUTDOWN_TIMEOUT, value: "{{ .Values.shutdownSeconds }}s" }
  - { name: AUTHKIT_METRICS_LISTEN_ADDR, value: ":9090" }
  - { name: AUTHKIT_SOCKET_DIR, value: /run/authkit }
  - { name: AUTHKIT_STATE_DIR, value: /run/authkit/state }
  - { name: DB_URL_FILE, value: /etc/authkit/secrets/database-url }
  - { name: AUTHKIT_REDIS_URL_FILE, value: /etc/authkit/secrets/redis-url }
  - { name: AUTHKIT_MGMT_TOKEN_FILE, value: /etc/authkit/secrets/management-token }
  - { name: AUTHKIT_KEYRING_SECRET_FILE, value: /etc/authkit/secrets/keyring-secret }
  {{- range $name, $key := .Values.secrets.further }}
  - { name: {{ $name }}_FILE, value: {{ printf "/etc/authkit/secrets/%s" $key | quote }} }
  {{- end }}
  {{- if .Values.config }}
  - { name: AUTHKIT_CONFIG, value: /etc/authkit/config/authkit.yaml }
  {{- end }}
  {{- range $name, $value := .Values.env }}
  - { name: {{ $name }}, value: {{ $value | quote }} }
  {{- end }}
volumeMounts:
  - { name: run, mountPath: /run/authkit }
  - { name: tmp, mountPath: /tmp }
  - { name: secrets, mountPath: /etc/authkit/secrets, readOnly: true }
  {{- if .Values.config }}
  - { name: config, mountPath: /etc/authkit/config, readOnly: true }
  {{- end }}
{{- end }}

{{- /* What the pods of the Deployment and of the migration have in common; their configuration's ConfigMap is `configMap`. */}}
{{- define "authkit.pod" -}}
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - { name: run, emptyDir: { medium: Memory } }
  - { name: tmp, emptyDir: {} }
  - name: secrets
    secret: { secretName: {{ .Values.secrets.existingSecret }}, defaultMode: 0440 }
  {{- if .Values.config }}
  - name: config
    configMap: { name: {{ .configMap }} }
  {{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
