// Made by worker/kinds/generate.ts. Do not edit.
export type AdmissionregistrationV1AuditAnnotation = {
  key: string;
  valueExpression: string;
};
export type AdmissionregistrationV1ExpressionWarning = {
  fieldRef: string;
  warning: string;
};
export type AdmissionregistrationV1MatchCondition = {
  expression: string;
  name: string;
};
export type AdmissionregistrationV1MatchResources = {
  excludeResourceRules?: Array<AdmissionregistrationV1NamedRuleWithOperations>;
  matchPolicy?: string;
  namespaceSelector?: MetaV1LabelSelector;
  objectSelector?: MetaV1LabelSelector;
  resourceRules?: Array<AdmissionregistrationV1NamedRuleWithOperations>;
};
export type AdmissionregistrationV1MutatingWebhook = {
  admissionReviewVersions: Array<string>;
  clientConfig: AdmissionregistrationV1WebhookClientConfig;
  failurePolicy?: string;
  matchConditions?: Array<AdmissionregistrationV1MatchCondition>;
  matchPolicy?: string;
  name: string;
  namespaceSelector?: MetaV1LabelSelector;
  objectSelector?: MetaV1LabelSelector;
  reinvocationPolicy?: string;
  rules?: Array<AdmissionregistrationV1RuleWithOperations>;
  sideEffects: string;
  timeoutSeconds?: number;
};
export type AdmissionregistrationV1MutatingWebhookConfiguration = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  webhooks?: Array<AdmissionregistrationV1MutatingWebhook>;
};
export type AdmissionregistrationV1MutatingWebhookConfigurationList = {
  apiVersion?: string;
  items: Array<AdmissionregistrationV1MutatingWebhookConfiguration>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AdmissionregistrationV1NamedRuleWithOperations = {
  apiGroups?: Array<string>;
  apiVersions?: Array<string>;
  operations?: Array<string>;
  resourceNames?: Array<string>;
  resources?: Array<string>;
  scope?: string;
};
export type AdmissionregistrationV1ParamKind = {
  apiVersion?: string;
  kind?: string;
};
export type AdmissionregistrationV1ParamRef = {
  name?: string;
  namespace?: string;
  parameterNotFoundAction?: string;
  selector?: MetaV1LabelSelector;
};
export type AdmissionregistrationV1RuleWithOperations = {
  apiGroups?: Array<string>;
  apiVersions?: Array<string>;
  operations?: Array<string>;
  resources?: Array<string>;
  scope?: string;
};
export type AdmissionregistrationV1ServiceReference = {
  name: string;
  namespace: string;
  path?: string;
  port?: number;
};
export type AdmissionregistrationV1TypeChecking = {
  expressionWarnings?: Array<AdmissionregistrationV1ExpressionWarning>;
};
export type AdmissionregistrationV1ValidatingAdmissionPolicy = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AdmissionregistrationV1ValidatingAdmissionPolicySpec;
  status?: AdmissionregistrationV1ValidatingAdmissionPolicyStatus;
};
export type AdmissionregistrationV1ValidatingAdmissionPolicyBinding = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AdmissionregistrationV1ValidatingAdmissionPolicyBindingSpec;
};
export type AdmissionregistrationV1ValidatingAdmissionPolicyBindingList = {
  apiVersion?: string;
  items: Array<AdmissionregistrationV1ValidatingAdmissionPolicyBinding>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AdmissionregistrationV1ValidatingAdmissionPolicyBindingSpec = {
  matchResources?: AdmissionregistrationV1MatchResources;
  paramRef?: AdmissionregistrationV1ParamRef;
  policyName?: string;
  validationActions?: Array<string>;
};
export type AdmissionregistrationV1ValidatingAdmissionPolicyList = {
  apiVersion?: string;
  items: Array<AdmissionregistrationV1ValidatingAdmissionPolicy>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AdmissionregistrationV1ValidatingAdmissionPolicySpec = {
  auditAnnotations?: Array<AdmissionregistrationV1AuditAnnotation>;
  failurePolicy?: string;
  matchConditions?: Array<AdmissionregistrationV1MatchCondition>;
  matchConstraints?: AdmissionregistrationV1MatchResources;
  paramKind?: AdmissionregistrationV1ParamKind;
  validations?: Array<AdmissionregistrationV1Validation>;
  variables?: Array<AdmissionregistrationV1Variable>;
};
export type AdmissionregistrationV1ValidatingAdmissionPolicyStatus = {
  conditions?: Array<MetaV1Condition>;
  observedGeneration?: number;
  typeChecking?: AdmissionregistrationV1TypeChecking;
};
export type AdmissionregistrationV1ValidatingWebhook = {
  admissionReviewVersions: Array<string>;
  clientConfig: AdmissionregistrationV1WebhookClientConfig;
  failurePolicy?: string;
  matchConditions?: Array<AdmissionregistrationV1MatchCondition>;
  matchPolicy?: string;
  name: string;
  namespaceSelector?: MetaV1LabelSelector;
  objectSelector?: MetaV1LabelSelector;
  rules?: Array<AdmissionregistrationV1RuleWithOperations>;
  sideEffects: string;
  timeoutSeconds?: number;
};
export type AdmissionregistrationV1ValidatingWebhookConfiguration = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  webhooks?: Array<AdmissionregistrationV1ValidatingWebhook>;
};
export type AdmissionregistrationV1ValidatingWebhookConfigurationList = {
  apiVersion?: string;
  items: Array<AdmissionregistrationV1ValidatingWebhookConfiguration>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AdmissionregistrationV1Validation = {
  expression: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
};
export type AdmissionregistrationV1Variable = {
  expression: string;
  name: string;
};
export type AdmissionregistrationV1WebhookClientConfig = {
  caBundle?: string;
  service?: AdmissionregistrationV1ServiceReference;
  url?: string;
};
export type AdmissionregistrationV1beta1ApplyConfiguration = {
  expression?: string;
};
export type AdmissionregistrationV1beta1JSONPatch = {
  expression?: string;
};
export type AdmissionregistrationV1beta1MatchCondition = {
  expression: string;
  name: string;
};
export type AdmissionregistrationV1beta1MatchResources = {
  excludeResourceRules?: Array<AdmissionregistrationV1beta1NamedRuleWithOperations>;
  matchPolicy?: string;
  namespaceSelector?: MetaV1LabelSelector;
  objectSelector?: MetaV1LabelSelector;
  resourceRules?: Array<AdmissionregistrationV1beta1NamedRuleWithOperations>;
};
export type AdmissionregistrationV1beta1MutatingAdmissionPolicy = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AdmissionregistrationV1beta1MutatingAdmissionPolicySpec;
};
export type AdmissionregistrationV1beta1MutatingAdmissionPolicyBinding = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AdmissionregistrationV1beta1MutatingAdmissionPolicyBindingSpec;
};
export type AdmissionregistrationV1beta1MutatingAdmissionPolicyBindingList = {
  apiVersion?: string;
  items: Array<AdmissionregistrationV1beta1MutatingAdmissionPolicyBinding>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AdmissionregistrationV1beta1MutatingAdmissionPolicyBindingSpec = {
  matchResources?: AdmissionregistrationV1beta1MatchResources;
  paramRef?: AdmissionregistrationV1beta1ParamRef;
  policyName?: string;
};
export type AdmissionregistrationV1beta1MutatingAdmissionPolicyList = {
  apiVersion?: string;
  items: Array<AdmissionregistrationV1beta1MutatingAdmissionPolicy>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AdmissionregistrationV1beta1MutatingAdmissionPolicySpec = {
  failurePolicy?: string;
  matchConditions?: Array<AdmissionregistrationV1beta1MatchCondition>;
  matchConstraints?: AdmissionregistrationV1beta1MatchResources;
  mutations?: Array<AdmissionregistrationV1beta1Mutation>;
  paramKind?: AdmissionregistrationV1beta1ParamKind;
  reinvocationPolicy?: string;
  variables?: Array<AdmissionregistrationV1beta1Variable>;
};
export type AdmissionregistrationV1beta1Mutation = {
  applyConfiguration?: AdmissionregistrationV1beta1ApplyConfiguration;
  jsonPatch?: AdmissionregistrationV1beta1JSONPatch;
  patchType: string;
};
export type AdmissionregistrationV1beta1NamedRuleWithOperations = {
  apiGroups?: Array<string>;
  apiVersions?: Array<string>;
  operations?: Array<string>;
  resourceNames?: Array<string>;
  resources?: Array<string>;
  scope?: string;
};
export type AdmissionregistrationV1beta1ParamKind = {
  apiVersion?: string;
  kind?: string;
};
export type AdmissionregistrationV1beta1ParamRef = {
  name?: string;
  namespace?: string;
  parameterNotFoundAction?: string;
  selector?: MetaV1LabelSelector;
};
export type AdmissionregistrationV1beta1Variable = {
  expression: string;
  name: string;
};
export type AppsV1ControllerRevision = {
  apiVersion?: string;
  data?: RuntimeRawExtension;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  revision: number;
};
export type AppsV1ControllerRevisionList = {
  apiVersion?: string;
  items: Array<AppsV1ControllerRevision>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AppsV1DaemonSet = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AppsV1DaemonSetSpec;
  status?: AppsV1DaemonSetStatus;
};
export type AppsV1DaemonSetCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type AppsV1DaemonSetList = {
  apiVersion?: string;
  items: Array<AppsV1DaemonSet>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AppsV1DaemonSetSpec = {
  minReadySeconds?: number;
  revisionHistoryLimit?: number;
  selector: MetaV1LabelSelector;
  template: CoreV1PodTemplateSpec;
  updateStrategy?: AppsV1DaemonSetUpdateStrategy;
};
export type AppsV1DaemonSetStatus = {
  collisionCount?: number;
  conditions?: Array<AppsV1DaemonSetCondition>;
  currentNumberScheduled: number;
  desiredNumberScheduled: number;
  numberAvailable?: number;
  numberMisscheduled: number;
  numberReady: number;
  numberUnavailable?: number;
  observedGeneration?: number;
  updatedNumberScheduled?: number;
};
export type AppsV1DaemonSetUpdateStrategy = {
  rollingUpdate?: AppsV1RollingUpdateDaemonSet;
  type?: string;
};
export type AppsV1Deployment = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AppsV1DeploymentSpec;
  status?: AppsV1DeploymentStatus;
};
export type AppsV1DeploymentCondition = {
  lastTransitionTime?: MetaV1Time;
  lastUpdateTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type AppsV1DeploymentList = {
  apiVersion?: string;
  items: Array<AppsV1Deployment>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AppsV1DeploymentSpec = {
  minReadySeconds?: number;
  paused?: boolean;
  progressDeadlineSeconds?: number;
  replicas?: number;
  revisionHistoryLimit?: number;
  selector: MetaV1LabelSelector;
  strategy?: AppsV1DeploymentStrategy;
  template: CoreV1PodTemplateSpec;
};
export type AppsV1DeploymentStatus = {
  availableReplicas?: number;
  collisionCount?: number;
  conditions?: Array<AppsV1DeploymentCondition>;
  observedGeneration?: number;
  readyReplicas?: number;
  replicas?: number;
  terminatingReplicas?: number;
  unavailableReplicas?: number;
  updatedReplicas?: number;
};
export type AppsV1DeploymentStrategy = {
  rollingUpdate?: AppsV1RollingUpdateDeployment;
  type?: string;
};
export type AppsV1ReplicaSet = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AppsV1ReplicaSetSpec;
  status?: AppsV1ReplicaSetStatus;
};
export type AppsV1ReplicaSetCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type AppsV1ReplicaSetList = {
  apiVersion?: string;
  items: Array<AppsV1ReplicaSet>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AppsV1ReplicaSetSpec = {
  minReadySeconds?: number;
  replicas?: number;
  selector: MetaV1LabelSelector;
  template?: CoreV1PodTemplateSpec;
};
export type AppsV1ReplicaSetStatus = {
  availableReplicas?: number;
  conditions?: Array<AppsV1ReplicaSetCondition>;
  fullyLabeledReplicas?: number;
  observedGeneration?: number;
  readyReplicas?: number;
  replicas: number;
  terminatingReplicas?: number;
};
export type AppsV1RollingUpdateDaemonSet = {
  maxSurge?: IntstrIntOrString;
  maxUnavailable?: IntstrIntOrString;
};
export type AppsV1RollingUpdateDeployment = {
  maxSurge?: IntstrIntOrString;
  maxUnavailable?: IntstrIntOrString;
};
export type AppsV1RollingUpdateStatefulSetStrategy = {
  maxUnavailable?: IntstrIntOrString;
  partition?: number;
};
export type AppsV1StatefulSet = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AppsV1StatefulSetSpec;
  status?: AppsV1StatefulSetStatus;
};
export type AppsV1StatefulSetCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type AppsV1StatefulSetList = {
  apiVersion?: string;
  items: Array<AppsV1StatefulSet>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AppsV1StatefulSetOrdinals = {
  start?: number;
};
export type AppsV1StatefulSetPersistentVolumeClaimRetentionPolicy = {
  whenDeleted?: string;
  whenScaled?: string;
};
export type AppsV1StatefulSetSpec = {
  minReadySeconds?: number;
  ordinals?: AppsV1StatefulSetOrdinals;
  persistentVolumeClaimRetentionPolicy?: AppsV1StatefulSetPersistentVolumeClaimRetentionPolicy;
  podManagementPolicy?: string;
  replicas?: number;
  revisionHistoryLimit?: number;
  selector: MetaV1LabelSelector;
  serviceName?: string;
  template: CoreV1PodTemplateSpec;
  updateStrategy?: AppsV1StatefulSetUpdateStrategy;
  volumeClaimTemplates?: Array<CoreV1PersistentVolumeClaim>;
};
export type AppsV1StatefulSetStatus = {
  availableReplicas?: number;
  collisionCount?: number;
  conditions?: Array<AppsV1StatefulSetCondition>;
  currentReplicas?: number;
  currentRevision?: string;
  observedGeneration?: number;
  readyReplicas?: number;
  replicas: number;
  updateRevision?: string;
  updatedReplicas?: number;
};
export type AppsV1StatefulSetUpdateStrategy = {
  rollingUpdate?: AppsV1RollingUpdateStatefulSetStrategy;
  type?: string;
};
export type AuthenticationV1BoundObjectReference = {
  apiVersion?: string;
  kind?: string;
  name?: string;
  uid?: string;
};
export type AuthenticationV1SelfSubjectReview = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  status?: AuthenticationV1SelfSubjectReviewStatus;
};
export type AuthenticationV1SelfSubjectReviewStatus = {
  userInfo?: AuthenticationV1UserInfo;
};
export type AuthenticationV1TokenRequest = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AuthenticationV1TokenRequestSpec;
  status?: AuthenticationV1TokenRequestStatus;
};
export type AuthenticationV1TokenRequestSpec = {
  audiences: Array<string>;
  boundObjectRef?: AuthenticationV1BoundObjectReference;
  expirationSeconds?: number;
};
export type AuthenticationV1TokenRequestStatus = {
  expirationTimestamp: MetaV1Time;
  token: string;
};
export type AuthenticationV1TokenReview = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AuthenticationV1TokenReviewSpec;
  status?: AuthenticationV1TokenReviewStatus;
};
export type AuthenticationV1TokenReviewSpec = {
  audiences?: Array<string>;
  token?: string;
};
export type AuthenticationV1TokenReviewStatus = {
  audiences?: Array<string>;
  authenticated?: boolean;
  error?: string;
  user?: AuthenticationV1UserInfo;
};
export type AuthenticationV1UserInfo = {
  extra?: { [key: string]: Array<string> };
  groups?: Array<string>;
  uid?: string;
  username?: string;
};
export type AuthorizationV1FieldSelectorAttributes = {
  rawSelector?: string;
  requirements?: Array<MetaV1FieldSelectorRequirement>;
};
export type AuthorizationV1LabelSelectorAttributes = {
  rawSelector?: string;
  requirements?: Array<MetaV1LabelSelectorRequirement>;
};
export type AuthorizationV1LocalSubjectAccessReview = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AuthorizationV1SubjectAccessReviewSpec;
  status?: AuthorizationV1SubjectAccessReviewStatus;
};
export type AuthorizationV1NonResourceAttributes = {
  path?: string;
  verb?: string;
};
export type AuthorizationV1NonResourceRule = {
  nonResourceURLs?: Array<string>;
  verbs: Array<string>;
};
export type AuthorizationV1ResourceAttributes = {
  fieldSelector?: AuthorizationV1FieldSelectorAttributes;
  group?: string;
  labelSelector?: AuthorizationV1LabelSelectorAttributes;
  name?: string;
  namespace?: string;
  resource?: string;
  subresource?: string;
  verb?: string;
  version?: string;
};
export type AuthorizationV1ResourceRule = {
  apiGroups?: Array<string>;
  resourceNames?: Array<string>;
  resources?: Array<string>;
  verbs: Array<string>;
};
export type AuthorizationV1SelfSubjectAccessReview = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AuthorizationV1SelfSubjectAccessReviewSpec;
  status?: AuthorizationV1SubjectAccessReviewStatus;
};
export type AuthorizationV1SelfSubjectAccessReviewSpec = {
  nonResourceAttributes?: AuthorizationV1NonResourceAttributes;
  resourceAttributes?: AuthorizationV1ResourceAttributes;
};
export type AuthorizationV1SelfSubjectRulesReview = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AuthorizationV1SelfSubjectRulesReviewSpec;
  status?: AuthorizationV1SubjectRulesReviewStatus;
};
export type AuthorizationV1SelfSubjectRulesReviewSpec = {
  namespace?: string;
};
export type AuthorizationV1SubjectAccessReview = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AuthorizationV1SubjectAccessReviewSpec;
  status?: AuthorizationV1SubjectAccessReviewStatus;
};
export type AuthorizationV1SubjectAccessReviewSpec = {
  extra?: { [key: string]: Array<string> };
  groups?: Array<string>;
  nonResourceAttributes?: AuthorizationV1NonResourceAttributes;
  resourceAttributes?: AuthorizationV1ResourceAttributes;
  uid?: string;
  user?: string;
};
export type AuthorizationV1SubjectAccessReviewStatus = {
  allowed: boolean;
  denied?: boolean;
  evaluationError?: string;
  reason?: string;
};
export type AuthorizationV1SubjectRulesReviewStatus = {
  evaluationError?: string;
  incomplete: boolean;
  nonResourceRules: Array<AuthorizationV1NonResourceRule>;
  resourceRules: Array<AuthorizationV1ResourceRule>;
};
export type AutoscalingV1CrossVersionObjectReference = {
  apiVersion?: string;
  kind: string;
  name: string;
};
export type AutoscalingV1HorizontalPodAutoscaler = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AutoscalingV1HorizontalPodAutoscalerSpec;
  status?: AutoscalingV1HorizontalPodAutoscalerStatus;
};
export type AutoscalingV1HorizontalPodAutoscalerList = {
  apiVersion?: string;
  items: Array<AutoscalingV1HorizontalPodAutoscaler>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AutoscalingV1HorizontalPodAutoscalerSpec = {
  maxReplicas: number;
  minReplicas?: number;
  scaleTargetRef: AutoscalingV1CrossVersionObjectReference;
  targetCPUUtilizationPercentage?: number;
};
export type AutoscalingV1HorizontalPodAutoscalerStatus = {
  currentCPUUtilizationPercentage?: number;
  currentReplicas: number;
  desiredReplicas: number;
  lastScaleTime?: MetaV1Time;
  observedGeneration?: number;
};
export type AutoscalingV1Scale = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AutoscalingV1ScaleSpec;
  status?: AutoscalingV1ScaleStatus;
};
export type AutoscalingV1ScaleSpec = {
  replicas?: number;
};
export type AutoscalingV1ScaleStatus = {
  replicas: number;
  selector?: string;
};
export type AutoscalingV2ContainerResourceMetricSource = {
  container: string;
  name: string;
  target: AutoscalingV2MetricTarget;
};
export type AutoscalingV2ContainerResourceMetricStatus = {
  container: string;
  current: AutoscalingV2MetricValueStatus;
  name: string;
};
export type AutoscalingV2CrossVersionObjectReference = {
  apiVersion?: string;
  kind: string;
  name: string;
};
export type AutoscalingV2ExternalMetricSource = {
  metric: AutoscalingV2MetricIdentifier;
  target: AutoscalingV2MetricTarget;
};
export type AutoscalingV2ExternalMetricStatus = {
  current: AutoscalingV2MetricValueStatus;
  metric: AutoscalingV2MetricIdentifier;
};
export type AutoscalingV2HPAScalingPolicy = {
  periodSeconds: number;
  type: string;
  value: number;
};
export type AutoscalingV2HPAScalingRules = {
  policies?: Array<AutoscalingV2HPAScalingPolicy>;
  selectPolicy?: string;
  stabilizationWindowSeconds?: number;
  tolerance?: ResourceQuantity;
};
export type AutoscalingV2HorizontalPodAutoscaler = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: AutoscalingV2HorizontalPodAutoscalerSpec;
  status?: AutoscalingV2HorizontalPodAutoscalerStatus;
};
export type AutoscalingV2HorizontalPodAutoscalerBehavior = {
  scaleDown?: AutoscalingV2HPAScalingRules;
  scaleUp?: AutoscalingV2HPAScalingRules;
};
export type AutoscalingV2HorizontalPodAutoscalerCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type AutoscalingV2HorizontalPodAutoscalerList = {
  apiVersion?: string;
  items: Array<AutoscalingV2HorizontalPodAutoscaler>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type AutoscalingV2HorizontalPodAutoscalerSpec = {
  behavior?: AutoscalingV2HorizontalPodAutoscalerBehavior;
  maxReplicas: number;
  metrics?: Array<AutoscalingV2MetricSpec>;
  minReplicas?: number;
  scaleTargetRef: AutoscalingV2CrossVersionObjectReference;
};
export type AutoscalingV2HorizontalPodAutoscalerStatus = {
  conditions?: Array<AutoscalingV2HorizontalPodAutoscalerCondition>;
  currentMetrics?: Array<AutoscalingV2MetricStatus> | null;
  currentReplicas?: number;
  desiredReplicas: number;
  lastScaleTime?: MetaV1Time;
  observedGeneration?: number;
};
export type AutoscalingV2MetricIdentifier = {
  name: string;
  selector?: MetaV1LabelSelector;
};
export type AutoscalingV2MetricSpec = {
  containerResource?: AutoscalingV2ContainerResourceMetricSource;
  external?: AutoscalingV2ExternalMetricSource;
  object?: AutoscalingV2ObjectMetricSource;
  pods?: AutoscalingV2PodsMetricSource;
  resource?: AutoscalingV2ResourceMetricSource;
  type: string;
};
export type AutoscalingV2MetricStatus = {
  containerResource?: AutoscalingV2ContainerResourceMetricStatus;
  external?: AutoscalingV2ExternalMetricStatus;
  object?: AutoscalingV2ObjectMetricStatus;
  pods?: AutoscalingV2PodsMetricStatus;
  resource?: AutoscalingV2ResourceMetricStatus;
  type: string;
};
export type AutoscalingV2MetricTarget = {
  averageUtilization?: number;
  averageValue?: ResourceQuantity;
  type: string;
  value?: ResourceQuantity;
};
export type AutoscalingV2MetricValueStatus = {
  averageUtilization?: number;
  averageValue?: ResourceQuantity;
  value?: ResourceQuantity;
};
export type AutoscalingV2ObjectMetricSource = {
  describedObject: AutoscalingV2CrossVersionObjectReference;
  metric: AutoscalingV2MetricIdentifier;
  target: AutoscalingV2MetricTarget;
};
export type AutoscalingV2ObjectMetricStatus = {
  current: AutoscalingV2MetricValueStatus;
  describedObject: AutoscalingV2CrossVersionObjectReference;
  metric: AutoscalingV2MetricIdentifier;
};
export type AutoscalingV2PodsMetricSource = {
  metric: AutoscalingV2MetricIdentifier;
  target: AutoscalingV2MetricTarget;
};
export type AutoscalingV2PodsMetricStatus = {
  current: AutoscalingV2MetricValueStatus;
  metric: AutoscalingV2MetricIdentifier;
};
export type AutoscalingV2ResourceMetricSource = {
  name: string;
  target: AutoscalingV2MetricTarget;
};
export type AutoscalingV2ResourceMetricStatus = {
  current: AutoscalingV2MetricValueStatus;
  name: string;
};
export type BatchV1CronJob = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: BatchV1CronJobSpec;
  status?: BatchV1CronJobStatus;
};
export type BatchV1CronJobList = {
  apiVersion?: string;
  items: Array<BatchV1CronJob>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type BatchV1CronJobSpec = {
  concurrencyPolicy?: string;
  failedJobsHistoryLimit?: number;
  jobTemplate: BatchV1JobTemplateSpec;
  schedule: string;
  startingDeadlineSeconds?: number;
  successfulJobsHistoryLimit?: number;
  suspend?: boolean;
  timeZone?: string;
};
export type BatchV1CronJobStatus = {
  active?: Array<CoreV1ObjectReference>;
  lastScheduleTime?: MetaV1Time;
  lastSuccessfulTime?: MetaV1Time;
};
export type BatchV1Job = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: BatchV1JobSpec;
  status?: BatchV1JobStatus;
};
export type BatchV1JobCondition = {
  lastProbeTime?: MetaV1Time;
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type BatchV1JobList = {
  apiVersion?: string;
  items: Array<BatchV1Job>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type BatchV1JobSpec = {
  activeDeadlineSeconds?: number;
  backoffLimit?: number;
  backoffLimitPerIndex?: number;
  completionMode?: string;
  completions?: number;
  managedBy?: string;
  manualSelector?: boolean;
  maxFailedIndexes?: number;
  parallelism?: number;
  podFailurePolicy?: BatchV1PodFailurePolicy;
  podReplacementPolicy?: string;
  selector?: MetaV1LabelSelector;
  successPolicy?: BatchV1SuccessPolicy;
  suspend?: boolean;
  template: CoreV1PodTemplateSpec;
  ttlSecondsAfterFinished?: number;
};
export type BatchV1JobStatus = {
  active?: number;
  completedIndexes?: string;
  completionTime?: MetaV1Time;
  conditions?: Array<BatchV1JobCondition>;
  failed?: number;
  failedIndexes?: string;
  ready?: number;
  startTime?: MetaV1Time;
  succeeded?: number;
  terminating?: number;
  uncountedTerminatedPods?: BatchV1UncountedTerminatedPods;
};
export type BatchV1JobTemplateSpec = {
  metadata?: MetaV1ObjectMeta;
  spec?: BatchV1JobSpec;
};
export type BatchV1PodFailurePolicy = {
  rules: Array<BatchV1PodFailurePolicyRule>;
};
export type BatchV1PodFailurePolicyOnExitCodesRequirement = {
  containerName?: string;
  operator: string;
  values: Array<number>;
};
export type BatchV1PodFailurePolicyOnPodConditionsPattern = {
  status?: string;
  type: string;
};
export type BatchV1PodFailurePolicyRule = {
  action: string;
  onExitCodes?: BatchV1PodFailurePolicyOnExitCodesRequirement;
  onPodConditions?: Array<BatchV1PodFailurePolicyOnPodConditionsPattern>;
};
export type BatchV1SuccessPolicy = {
  rules: Array<BatchV1SuccessPolicyRule>;
};
export type BatchV1SuccessPolicyRule = {
  succeededCount?: number;
  succeededIndexes?: string;
};
export type BatchV1UncountedTerminatedPods = {
  failed?: Array<string>;
  succeeded?: Array<string>;
};
export type CertificatesV1CertificateSigningRequest = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CertificatesV1CertificateSigningRequestSpec;
  status?: CertificatesV1CertificateSigningRequestStatus;
};
export type CertificatesV1CertificateSigningRequestCondition = {
  lastTransitionTime?: MetaV1Time;
  lastUpdateTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type CertificatesV1CertificateSigningRequestList = {
  apiVersion?: string;
  items: Array<CertificatesV1CertificateSigningRequest>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CertificatesV1CertificateSigningRequestSpec = {
  expirationSeconds?: number;
  extra?: { [key: string]: Array<string> };
  groups?: Array<string>;
  request: string;
  signerName: string;
  uid?: string;
  usages?: Array<string>;
  username?: string;
};
export type CertificatesV1CertificateSigningRequestStatus = {
  certificate?: string;
  conditions?: Array<CertificatesV1CertificateSigningRequestCondition>;
};
export type CoordinationV1Lease = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoordinationV1LeaseSpec;
};
export type CoordinationV1LeaseList = {
  apiVersion?: string;
  items: Array<CoordinationV1Lease>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoordinationV1LeaseSpec = {
  acquireTime?: MetaV1MicroTime;
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  leaseTransitions?: number;
  preferredHolder?: string;
  renewTime?: MetaV1MicroTime;
  strategy?: string;
};
export type CoreV1AWSElasticBlockStoreVolumeSource = {
  fsType?: string;
  partition?: number;
  readOnly?: boolean;
  volumeID: string;
};
export type CoreV1Affinity = {
  nodeAffinity?: CoreV1NodeAffinity;
  podAffinity?: CoreV1PodAffinity;
  podAntiAffinity?: CoreV1PodAntiAffinity;
};
export type CoreV1AppArmorProfile = {
  localhostProfile?: string;
  type: string;
};
export type CoreV1AttachedVolume = {
  devicePath: string;
  name: string;
};
export type CoreV1AzureDiskVolumeSource = {
  cachingMode?: string;
  diskName: string;
  diskURI: string;
  fsType?: string;
  kind?: string;
  readOnly?: boolean;
};
export type CoreV1AzureFilePersistentVolumeSource = {
  readOnly?: boolean;
  secretName: string;
  secretNamespace?: string;
  shareName: string;
};
export type CoreV1AzureFileVolumeSource = {
  readOnly?: boolean;
  secretName: string;
  shareName: string;
};
export type CoreV1Binding = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  target: CoreV1ObjectReference;
};
export type CoreV1CSIPersistentVolumeSource = {
  controllerExpandSecretRef?: CoreV1SecretReference;
  controllerPublishSecretRef?: CoreV1SecretReference;
  driver: string;
  fsType?: string;
  nodeExpandSecretRef?: CoreV1SecretReference;
  nodePublishSecretRef?: CoreV1SecretReference;
  nodeStageSecretRef?: CoreV1SecretReference;
  readOnly?: boolean;
  volumeAttributes?: { [key: string]: string };
  volumeHandle: string;
};
export type CoreV1CSIVolumeSource = {
  driver: string;
  fsType?: string;
  nodePublishSecretRef?: CoreV1LocalObjectReference;
  readOnly?: boolean;
  volumeAttributes?: { [key: string]: string };
};
export type CoreV1Capabilities = {
  add?: Array<string>;
  drop?: Array<string>;
};
export type CoreV1CephFSPersistentVolumeSource = {
  monitors: Array<string>;
  path?: string;
  readOnly?: boolean;
  secretFile?: string;
  secretRef?: CoreV1SecretReference;
  user?: string;
};
export type CoreV1CephFSVolumeSource = {
  monitors: Array<string>;
  path?: string;
  readOnly?: boolean;
  secretFile?: string;
  secretRef?: CoreV1LocalObjectReference;
  user?: string;
};
export type CoreV1CinderPersistentVolumeSource = {
  fsType?: string;
  readOnly?: boolean;
  secretRef?: CoreV1SecretReference;
  volumeID: string;
};
export type CoreV1CinderVolumeSource = {
  fsType?: string;
  readOnly?: boolean;
  secretRef?: CoreV1LocalObjectReference;
  volumeID: string;
};
export type CoreV1ClientIPConfig = {
  timeoutSeconds?: number;
};
export type CoreV1ClusterTrustBundleProjection = {
  labelSelector?: MetaV1LabelSelector;
  name?: string;
  optional?: boolean;
  path: string;
  signerName?: string;
};
export type CoreV1ComponentCondition = {
  error?: string;
  message?: string;
  status: string;
  type: string;
};
export type CoreV1ComponentStatus = {
  apiVersion?: string;
  conditions?: Array<CoreV1ComponentCondition>;
  kind?: string;
  metadata: MetaV1ObjectMeta;
};
export type CoreV1ComponentStatusList = {
  apiVersion?: string;
  items: Array<CoreV1ComponentStatus>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1ConfigMap = {
  apiVersion?: string;
  binaryData?: { [key: string]: string };
  data?: { [key: string]: string };
  immutable?: boolean;
  kind?: string;
  metadata: MetaV1ObjectMeta;
};
export type CoreV1ConfigMapEnvSource = {
  name?: string;
  optional?: boolean;
};
export type CoreV1ConfigMapKeySelector = {
  key: string;
  name?: string;
  optional?: boolean;
};
export type CoreV1ConfigMapList = {
  apiVersion?: string;
  items: Array<CoreV1ConfigMap>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1ConfigMapNodeConfigSource = {
  kubeletConfigKey: string;
  name: string;
  namespace: string;
  resourceVersion?: string;
  uid?: string;
};
export type CoreV1ConfigMapProjection = {
  items?: Array<CoreV1KeyToPath>;
  name?: string;
  optional?: boolean;
};
export type CoreV1ConfigMapVolumeSource = {
  defaultMode?: number;
  items?: Array<CoreV1KeyToPath>;
  name?: string;
  optional?: boolean;
};
export type CoreV1Container = {
  args?: Array<string>;
  command?: Array<string>;
  env?: Array<CoreV1EnvVar>;
  envFrom?: Array<CoreV1EnvFromSource>;
  image?: string;
  imagePullPolicy?: string;
  lifecycle?: CoreV1Lifecycle;
  livenessProbe?: CoreV1Probe;
  name: string;
  ports?: Array<CoreV1ContainerPort>;
  readinessProbe?: CoreV1Probe;
  resizePolicy?: Array<CoreV1ContainerResizePolicy>;
  resources?: CoreV1ResourceRequirements;
  restartPolicy?: string;
  restartPolicyRules?: Array<CoreV1ContainerRestartRule>;
  securityContext?: CoreV1SecurityContext;
  startupProbe?: CoreV1Probe;
  stdin?: boolean;
  stdinOnce?: boolean;
  terminationMessagePath?: string;
  terminationMessagePolicy?: string;
  tty?: boolean;
  volumeDevices?: Array<CoreV1VolumeDevice>;
  volumeMounts?: Array<CoreV1VolumeMount>;
  workingDir?: string;
};
export type CoreV1ContainerExtendedResourceRequest = {
  containerName: string;
  requestName: string;
  resourceName: string;
};
export type CoreV1ContainerImage = {
  names?: Array<string>;
  sizeBytes?: number;
};
export type CoreV1ContainerPort = {
  containerPort: number;
  hostIP?: string;
  hostPort?: number;
  name?: string;
  protocol?: string;
};
export type CoreV1ContainerResizePolicy = {
  resourceName: string;
  restartPolicy: string;
};
export type CoreV1ContainerRestartRule = {
  action: string;
  exitCodes?: CoreV1ContainerRestartRuleOnExitCodes;
};
export type CoreV1ContainerRestartRuleOnExitCodes = {
  operator: string;
  values?: Array<number>;
};
export type CoreV1ContainerState = {
  running?: CoreV1ContainerStateRunning;
  terminated?: CoreV1ContainerStateTerminated;
  waiting?: CoreV1ContainerStateWaiting;
};
export type CoreV1ContainerStateRunning = {
  startedAt?: MetaV1Time;
};
export type CoreV1ContainerStateTerminated = {
  containerID?: string;
  exitCode: number;
  finishedAt?: MetaV1Time;
  message?: string;
  reason?: string;
  signal?: number;
  startedAt?: MetaV1Time;
};
export type CoreV1ContainerStateWaiting = {
  message?: string;
  reason?: string;
};
export type CoreV1ContainerStatus = {
  allocatedResources?: { [key: string]: ResourceQuantity };
  allocatedResourcesStatus?: Array<CoreV1ResourceStatus>;
  containerID?: string;
  image: string;
  imageID: string;
  lastState?: CoreV1ContainerState;
  name: string;
  ready: boolean;
  resources?: CoreV1ResourceRequirements;
  restartCount: number;
  started?: boolean;
  state?: CoreV1ContainerState;
  stopSignal?: string;
  user?: CoreV1ContainerUser;
  volumeMounts?: Array<CoreV1VolumeMountStatus>;
};
export type CoreV1ContainerUser = {
  linux?: CoreV1LinuxContainerUser;
};
export type CoreV1DaemonEndpoint = {
  Port: number;
};
export type CoreV1DownwardAPIProjection = {
  items?: Array<CoreV1DownwardAPIVolumeFile>;
};
export type CoreV1DownwardAPIVolumeFile = {
  fieldRef?: CoreV1ObjectFieldSelector;
  mode?: number;
  path: string;
  resourceFieldRef?: CoreV1ResourceFieldSelector;
};
export type CoreV1DownwardAPIVolumeSource = {
  defaultMode?: number;
  items?: Array<CoreV1DownwardAPIVolumeFile>;
};
export type CoreV1EmptyDirVolumeSource = {
  medium?: string;
  sizeLimit?: ResourceQuantity;
};
export type CoreV1EndpointAddress = {
  hostname?: string;
  ip: string;
  nodeName?: string;
  targetRef?: CoreV1ObjectReference;
};
export type CoreV1EndpointPort = {
  appProtocol?: string;
  name?: string;
  port: number;
  protocol?: string;
};
export type CoreV1EndpointSubset = {
  addresses?: Array<CoreV1EndpointAddress>;
  notReadyAddresses?: Array<CoreV1EndpointAddress>;
  ports?: Array<CoreV1EndpointPort>;
};
export type CoreV1Endpoints = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  subsets?: Array<CoreV1EndpointSubset>;
};
export type CoreV1EndpointsList = {
  apiVersion?: string;
  items: Array<CoreV1Endpoints>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1EnvFromSource = {
  configMapRef?: CoreV1ConfigMapEnvSource;
  prefix?: string;
  secretRef?: CoreV1SecretEnvSource;
};
export type CoreV1EnvVar = {
  name: string;
  value?: string;
  valueFrom?: CoreV1EnvVarSource;
};
export type CoreV1EnvVarSource = {
  configMapKeyRef?: CoreV1ConfigMapKeySelector;
  fieldRef?: CoreV1ObjectFieldSelector;
  fileKeyRef?: CoreV1FileKeySelector;
  resourceFieldRef?: CoreV1ResourceFieldSelector;
  secretKeyRef?: CoreV1SecretKeySelector;
};
export type CoreV1EphemeralContainer = {
  args?: Array<string>;
  command?: Array<string>;
  env?: Array<CoreV1EnvVar>;
  envFrom?: Array<CoreV1EnvFromSource>;
  image?: string;
  imagePullPolicy?: string;
  lifecycle?: CoreV1Lifecycle;
  livenessProbe?: CoreV1Probe;
  name: string;
  ports?: Array<CoreV1ContainerPort>;
  readinessProbe?: CoreV1Probe;
  resizePolicy?: Array<CoreV1ContainerResizePolicy>;
  resources?: CoreV1ResourceRequirements;
  restartPolicy?: string;
  restartPolicyRules?: Array<CoreV1ContainerRestartRule>;
  securityContext?: CoreV1SecurityContext;
  startupProbe?: CoreV1Probe;
  stdin?: boolean;
  stdinOnce?: boolean;
  targetContainerName?: string;
  terminationMessagePath?: string;
  terminationMessagePolicy?: string;
  tty?: boolean;
  volumeDevices?: Array<CoreV1VolumeDevice>;
  volumeMounts?: Array<CoreV1VolumeMount>;
  workingDir?: string;
};
export type CoreV1EphemeralVolumeSource = {
  volumeClaimTemplate?: CoreV1PersistentVolumeClaimTemplate;
};
export type CoreV1Event = {
  action?: string;
  apiVersion?: string;
  count?: number;
  eventTime?: MetaV1MicroTime;
  firstTimestamp?: MetaV1Time;
  involvedObject: CoreV1ObjectReference;
  kind?: string;
  lastTimestamp?: MetaV1Time;
  message?: string;
  metadata: MetaV1ObjectMeta;
  reason?: string;
  related?: CoreV1ObjectReference;
  reportingComponent?: string;
  reportingInstance?: string;
  series?: CoreV1EventSeries;
  source?: CoreV1EventSource;
  type?: string;
};
export type CoreV1EventList = {
  apiVersion?: string;
  items: Array<CoreV1Event>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1EventSeries = {
  count?: number;
  lastObservedTime?: MetaV1MicroTime;
};
export type CoreV1EventSource = {
  component?: string;
  host?: string;
};
export type CoreV1ExecAction = {
  command?: Array<string>;
};
export type CoreV1FCVolumeSource = {
  fsType?: string;
  lun?: number;
  readOnly?: boolean;
  targetWWNs?: Array<string>;
  wwids?: Array<string>;
};
export type CoreV1FileKeySelector = {
  key: string;
  optional?: boolean;
  path: string;
  volumeName: string;
};
export type CoreV1FlexPersistentVolumeSource = {
  driver: string;
  fsType?: string;
  options?: { [key: string]: string };
  readOnly?: boolean;
  secretRef?: CoreV1SecretReference;
};
export type CoreV1FlexVolumeSource = {
  driver: string;
  fsType?: string;
  options?: { [key: string]: string };
  readOnly?: boolean;
  secretRef?: CoreV1LocalObjectReference;
};
export type CoreV1FlockerVolumeSource = {
  datasetName?: string;
  datasetUUID?: string;
};
export type CoreV1GCEPersistentDiskVolumeSource = {
  fsType?: string;
  partition?: number;
  pdName: string;
  readOnly?: boolean;
};
export type CoreV1GRPCAction = {
  port: number;
  service?: string;
};
export type CoreV1GitRepoVolumeSource = {
  directory?: string;
  repository: string;
  revision?: string;
};
export type CoreV1GlusterfsPersistentVolumeSource = {
  endpoints: string;
  endpointsNamespace?: string;
  path: string;
  readOnly?: boolean;
};
export type CoreV1GlusterfsVolumeSource = {
  endpoints: string;
  path: string;
  readOnly?: boolean;
};
export type CoreV1HTTPGetAction = {
  host?: string;
  httpHeaders?: Array<CoreV1HTTPHeader>;
  path?: string;
  port: IntstrIntOrString;
  scheme?: string;
};
export type CoreV1HTTPHeader = {
  name: string;
  value: string;
};
export type CoreV1HostAlias = {
  hostnames?: Array<string>;
  ip: string;
};
export type CoreV1HostIP = {
  ip: string;
};
export type CoreV1HostPathVolumeSource = {
  path: string;
  type?: string;
};
export type CoreV1ISCSIPersistentVolumeSource = {
  chapAuthDiscovery?: boolean;
  chapAuthSession?: boolean;
  fsType?: string;
  initiatorName?: string;
  iqn: string;
  iscsiInterface?: string;
  lun: number;
  portals?: Array<string>;
  readOnly?: boolean;
  secretRef?: CoreV1SecretReference;
  targetPortal: string;
};
export type CoreV1ISCSIVolumeSource = {
  chapAuthDiscovery?: boolean;
  chapAuthSession?: boolean;
  fsType?: string;
  initiatorName?: string;
  iqn: string;
  iscsiInterface?: string;
  lun: number;
  portals?: Array<string>;
  readOnly?: boolean;
  secretRef?: CoreV1LocalObjectReference;
  targetPortal: string;
};
export type CoreV1ImageVolumeSource = {
  pullPolicy?: string;
  reference?: string;
};
export type CoreV1KeyToPath = {
  key: string;
  mode?: number;
  path: string;
};
export type CoreV1Lifecycle = {
  postStart?: CoreV1LifecycleHandler;
  preStop?: CoreV1LifecycleHandler;
  stopSignal?: string;
};
export type CoreV1LifecycleHandler = {
  exec?: CoreV1ExecAction;
  httpGet?: CoreV1HTTPGetAction;
  sleep?: CoreV1SleepAction;
  tcpSocket?: CoreV1TCPSocketAction;
};
export type CoreV1LimitRange = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoreV1LimitRangeSpec;
};
export type CoreV1LimitRangeItem = {
  default?: { [key: string]: ResourceQuantity };
  defaultRequest?: { [key: string]: ResourceQuantity };
  max?: { [key: string]: ResourceQuantity };
  maxLimitRequestRatio?: { [key: string]: ResourceQuantity };
  min?: { [key: string]: ResourceQuantity };
  type: string;
};
export type CoreV1LimitRangeList = {
  apiVersion?: string;
  items: Array<CoreV1LimitRange>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1LimitRangeSpec = {
  limits: Array<CoreV1LimitRangeItem>;
};
export type CoreV1LinuxContainerUser = {
  gid: number;
  supplementalGroups?: Array<number>;
  uid: number;
};
export type CoreV1LoadBalancerIngress = {
  hostname?: string;
  ip?: string;
  ipMode?: string;
  ports?: Array<CoreV1PortStatus>;
};
export type CoreV1LoadBalancerStatus = {
  ingress?: Array<CoreV1LoadBalancerIngress>;
};
export type CoreV1LocalObjectReference = {
  name?: string;
};
export type CoreV1LocalVolumeSource = {
  fsType?: string;
  path: string;
};
export type CoreV1ModifyVolumeStatus = {
  status: string;
  targetVolumeAttributesClassName?: string;
};
export type CoreV1NFSVolumeSource = {
  path: string;
  readOnly?: boolean;
  server: string;
};
export type CoreV1Namespace = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoreV1NamespaceSpec;
  status?: CoreV1NamespaceStatus;
};
export type CoreV1NamespaceCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type CoreV1NamespaceList = {
  apiVersion?: string;
  items: Array<CoreV1Namespace>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1NamespaceSpec = {
  finalizers?: Array<string>;
};
export type CoreV1NamespaceStatus = {
  conditions?: Array<CoreV1NamespaceCondition>;
  phase?: string;
};
export type CoreV1Node = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoreV1NodeSpec;
  status?: CoreV1NodeStatus;
};
export type CoreV1NodeAddress = {
  address: string;
  type: string;
};
export type CoreV1NodeAffinity = {
  preferredDuringSchedulingIgnoredDuringExecution?: Array<CoreV1PreferredSchedulingTerm>;
  requiredDuringSchedulingIgnoredDuringExecution?: CoreV1NodeSelector;
};
export type CoreV1NodeCondition = {
  lastHeartbeatTime?: MetaV1Time;
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type CoreV1NodeConfigSource = {
  configMap?: CoreV1ConfigMapNodeConfigSource;
};
export type CoreV1NodeConfigStatus = {
  active?: CoreV1NodeConfigSource;
  assigned?: CoreV1NodeConfigSource;
  error?: string;
  lastKnownGood?: CoreV1NodeConfigSource;
};
export type CoreV1NodeDaemonEndpoints = {
  kubeletEndpoint?: CoreV1DaemonEndpoint;
};
export type CoreV1NodeFeatures = {
  supplementalGroupsPolicy?: boolean;
};
export type CoreV1NodeList = {
  apiVersion?: string;
  items: Array<CoreV1Node>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1NodeRuntimeHandler = {
  features?: CoreV1NodeRuntimeHandlerFeatures;
  name?: string;
};
export type CoreV1NodeRuntimeHandlerFeatures = {
  recursiveReadOnlyMounts?: boolean;
  userNamespaces?: boolean;
};
export type CoreV1NodeSelector = {
  nodeSelectorTerms: Array<CoreV1NodeSelectorTerm>;
};
export type CoreV1NodeSelectorRequirement = {
  key: string;
  operator: string;
  values?: Array<string>;
};
export type CoreV1NodeSelectorTerm = {
  matchExpressions?: Array<CoreV1NodeSelectorRequirement>;
  matchFields?: Array<CoreV1NodeSelectorRequirement>;
};
export type CoreV1NodeSpec = {
  configSource?: CoreV1NodeConfigSource;
  externalID?: string;
  podCIDR?: string;
  podCIDRs?: Array<string>;
  providerID?: string;
  taints?: Array<CoreV1Taint>;
  unschedulable?: boolean;
};
export type CoreV1NodeStatus = {
  addresses?: Array<CoreV1NodeAddress>;
  allocatable?: { [key: string]: ResourceQuantity };
  capacity?: { [key: string]: ResourceQuantity };
  conditions?: Array<CoreV1NodeCondition>;
  config?: CoreV1NodeConfigStatus;
  daemonEndpoints?: CoreV1NodeDaemonEndpoints;
  declaredFeatures?: Array<string>;
  features?: CoreV1NodeFeatures;
  images?: Array<CoreV1ContainerImage>;
  nodeInfo?: CoreV1NodeSystemInfo;
  phase?: string;
  runtimeHandlers?: Array<CoreV1NodeRuntimeHandler>;
  volumesAttached?: Array<CoreV1AttachedVolume>;
  volumesInUse?: Array<string>;
};
export type CoreV1NodeSwapStatus = {
  capacity?: number;
};
export type CoreV1NodeSystemInfo = {
  architecture: string;
  bootID: string;
  containerRuntimeVersion: string;
  kernelVersion: string;
  kubeProxyVersion: string;
  kubeletVersion: string;
  machineID: string;
  operatingSystem: string;
  osImage: string;
  swap?: CoreV1NodeSwapStatus;
  systemUUID: string;
};
export type CoreV1ObjectFieldSelector = {
  apiVersion?: string;
  fieldPath: string;
};
export type CoreV1ObjectReference = {
  apiVersion?: string;
  fieldPath?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  resourceVersion?: string;
  uid?: string;
};
export type CoreV1PersistentVolume = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoreV1PersistentVolumeSpec;
  status?: CoreV1PersistentVolumeStatus;
};
export type CoreV1PersistentVolumeClaim = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoreV1PersistentVolumeClaimSpec;
  status?: CoreV1PersistentVolumeClaimStatus;
};
export type CoreV1PersistentVolumeClaimCondition = {
  lastProbeTime?: MetaV1Time;
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type CoreV1PersistentVolumeClaimList = {
  apiVersion?: string;
  items: Array<CoreV1PersistentVolumeClaim>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1PersistentVolumeClaimSpec = {
  accessModes?: Array<string>;
  dataSource?: CoreV1TypedLocalObjectReference;
  dataSourceRef?: CoreV1TypedObjectReference;
  resources?: CoreV1VolumeResourceRequirements;
  selector?: MetaV1LabelSelector;
  storageClassName?: string;
  volumeAttributesClassName?: string;
  volumeMode?: string;
  volumeName?: string;
};
export type CoreV1PersistentVolumeClaimStatus = {
  accessModes?: Array<string>;
  allocatedResourceStatuses?: { [key: string]: string };
  allocatedResources?: { [key: string]: ResourceQuantity };
  capacity?: { [key: string]: ResourceQuantity };
  conditions?: Array<CoreV1PersistentVolumeClaimCondition>;
  currentVolumeAttributesClassName?: string;
  modifyVolumeStatus?: CoreV1ModifyVolumeStatus;
  phase?: string;
};
export type CoreV1PersistentVolumeClaimTemplate = {
  metadata?: MetaV1ObjectMeta;
  spec: CoreV1PersistentVolumeClaimSpec;
};
export type CoreV1PersistentVolumeClaimVolumeSource = {
  claimName: string;
  readOnly?: boolean;
};
export type CoreV1PersistentVolumeList = {
  apiVersion?: string;
  items: Array<CoreV1PersistentVolume>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1PersistentVolumeSpec = {
  accessModes?: Array<string>;
  awsElasticBlockStore?: CoreV1AWSElasticBlockStoreVolumeSource;
  azureDisk?: CoreV1AzureDiskVolumeSource;
  azureFile?: CoreV1AzureFilePersistentVolumeSource;
  capacity?: { [key: string]: ResourceQuantity };
  cephfs?: CoreV1CephFSPersistentVolumeSource;
  cinder?: CoreV1CinderPersistentVolumeSource;
  claimRef?: CoreV1ObjectReference;
  csi?: CoreV1CSIPersistentVolumeSource;
  fc?: CoreV1FCVolumeSource;
  flexVolume?: CoreV1FlexPersistentVolumeSource;
  flocker?: CoreV1FlockerVolumeSource;
  gcePersistentDisk?: CoreV1GCEPersistentDiskVolumeSource;
  glusterfs?: CoreV1GlusterfsPersistentVolumeSource;
  hostPath?: CoreV1HostPathVolumeSource;
  iscsi?: CoreV1ISCSIPersistentVolumeSource;
  local?: CoreV1LocalVolumeSource;
  mountOptions?: Array<string>;
  nfs?: CoreV1NFSVolumeSource;
  nodeAffinity?: CoreV1VolumeNodeAffinity;
  persistentVolumeReclaimPolicy?: string;
  photonPersistentDisk?: CoreV1PhotonPersistentDiskVolumeSource;
  portworxVolume?: CoreV1PortworxVolumeSource;
  quobyte?: CoreV1QuobyteVolumeSource;
  rbd?: CoreV1RBDPersistentVolumeSource;
  scaleIO?: CoreV1ScaleIOPersistentVolumeSource;
  storageClassName?: string;
  storageos?: CoreV1StorageOSPersistentVolumeSource;
  volumeAttributesClassName?: string;
  volumeMode?: string;
  vsphereVolume?: CoreV1VsphereVirtualDiskVolumeSource;
};
export type CoreV1PersistentVolumeStatus = {
  lastPhaseTransitionTime?: MetaV1Time;
  message?: string;
  phase?: string;
  reason?: string;
};
export type CoreV1PhotonPersistentDiskVolumeSource = {
  fsType?: string;
  pdID: string;
};
export type CoreV1Pod = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoreV1PodSpec;
  status?: CoreV1PodStatus;
};
export type CoreV1PodAffinity = {
  preferredDuringSchedulingIgnoredDuringExecution?: Array<CoreV1WeightedPodAffinityTerm>;
  requiredDuringSchedulingIgnoredDuringExecution?: Array<CoreV1PodAffinityTerm>;
};
export type CoreV1PodAffinityTerm = {
  labelSelector?: MetaV1LabelSelector;
  matchLabelKeys?: Array<string>;
  mismatchLabelKeys?: Array<string>;
  namespaceSelector?: MetaV1LabelSelector;
  namespaces?: Array<string>;
  topologyKey: string;
};
export type CoreV1PodAntiAffinity = {
  preferredDuringSchedulingIgnoredDuringExecution?: Array<CoreV1WeightedPodAffinityTerm>;
  requiredDuringSchedulingIgnoredDuringExecution?: Array<CoreV1PodAffinityTerm>;
};
export type CoreV1PodCertificateProjection = {
  certificateChainPath?: string;
  credentialBundlePath?: string;
  keyPath?: string;
  keyType: string;
  maxExpirationSeconds?: number;
  signerName: string;
  userAnnotations?: { [key: string]: string };
};
export type CoreV1PodCondition = {
  lastProbeTime?: MetaV1Time;
  lastTransitionTime?: MetaV1Time;
  message?: string;
  observedGeneration?: number;
  reason?: string;
  status: string;
  type: string;
};
export type CoreV1PodDNSConfig = {
  nameservers?: Array<string>;
  options?: Array<CoreV1PodDNSConfigOption>;
  searches?: Array<string>;
};
export type CoreV1PodDNSConfigOption = {
  name?: string;
  value?: string;
};
export type CoreV1PodExtendedResourceClaimStatus = {
  requestMappings: Array<CoreV1ContainerExtendedResourceRequest>;
  resourceClaimName: string;
};
export type CoreV1PodIP = {
  ip: string;
};
export type CoreV1PodList = {
  apiVersion?: string;
  items: Array<CoreV1Pod>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1PodOS = {
  name: string;
};
export type CoreV1PodReadinessGate = {
  conditionType: string;
};
export type CoreV1PodResourceClaim = {
  name: string;
  resourceClaimName?: string;
  resourceClaimTemplateName?: string;
};
export type CoreV1PodResourceClaimStatus = {
  name: string;
  resourceClaimName?: string;
};
export type CoreV1PodSchedulingGate = {
  name: string;
};
export type CoreV1PodSecurityContext = {
  appArmorProfile?: CoreV1AppArmorProfile;
  fsGroup?: number;
  fsGroupChangePolicy?: string;
  runAsGroup?: number;
  runAsNonRoot?: boolean;
  runAsUser?: number;
  seLinuxChangePolicy?: string;
  seLinuxOptions?: CoreV1SELinuxOptions;
  seccompProfile?: CoreV1SeccompProfile;
  supplementalGroups?: Array<number>;
  supplementalGroupsPolicy?: string;
  sysctls?: Array<CoreV1Sysctl>;
  windowsOptions?: CoreV1WindowsSecurityContextOptions;
};
export type CoreV1PodSpec = {
  activeDeadlineSeconds?: number;
  affinity?: CoreV1Affinity;
  automountServiceAccountToken?: boolean;
  containers: Array<CoreV1Container>;
  dnsConfig?: CoreV1PodDNSConfig;
  dnsPolicy?: string;
  enableServiceLinks?: boolean;
  ephemeralContainers?: Array<CoreV1EphemeralContainer>;
  hostAliases?: Array<CoreV1HostAlias>;
  hostIPC?: boolean;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostUsers?: boolean;
  hostname?: string;
  hostnameOverride?: string;
  imagePullSecrets?: Array<CoreV1LocalObjectReference>;
  initContainers?: Array<CoreV1Container>;
  nodeName?: string;
  nodeSelector?: { [key: string]: string };
  os?: CoreV1PodOS;
  overhead?: { [key: string]: ResourceQuantity };
  preemptionPolicy?: string;
  priority?: number;
  priorityClassName?: string;
  readinessGates?: Array<CoreV1PodReadinessGate>;
  resourceClaims?: Array<CoreV1PodResourceClaim>;
  resources?: CoreV1ResourceRequirements;
  restartPolicy?: string;
  runtimeClassName?: string;
  schedulerName?: string;
  schedulingGates?: Array<CoreV1PodSchedulingGate>;
  securityContext?: CoreV1PodSecurityContext;
  serviceAccount?: string;
  serviceAccountName?: string;
  setHostnameAsFQDN?: boolean;
  shareProcessNamespace?: boolean;
  subdomain?: string;
  terminationGracePeriodSeconds?: number;
  tolerations?: Array<CoreV1Toleration>;
  topologySpreadConstraints?: Array<CoreV1TopologySpreadConstraint>;
  volumes?: Array<CoreV1Volume>;
  workloadRef?: CoreV1WorkloadReference;
};
export type CoreV1PodStatus = {
  allocatedResources?: { [key: string]: ResourceQuantity };
  conditions?: Array<CoreV1PodCondition>;
  containerStatuses?: Array<CoreV1ContainerStatus>;
  ephemeralContainerStatuses?: Array<CoreV1ContainerStatus>;
  extendedResourceClaimStatus?: CoreV1PodExtendedResourceClaimStatus;
  hostIP?: string;
  hostIPs?: Array<CoreV1HostIP>;
  initContainerStatuses?: Array<CoreV1ContainerStatus>;
  message?: string;
  nominatedNodeName?: string;
  observedGeneration?: number;
  phase?: string;
  podIP?: string;
  podIPs?: Array<CoreV1PodIP>;
  qosClass?: string;
  reason?: string;
  resize?: string;
  resourceClaimStatuses?: Array<CoreV1PodResourceClaimStatus>;
  resources?: CoreV1ResourceRequirements;
  startTime?: MetaV1Time;
};
export type CoreV1PodTemplate = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  template?: CoreV1PodTemplateSpec;
};
export type CoreV1PodTemplateList = {
  apiVersion?: string;
  items: Array<CoreV1PodTemplate>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1PodTemplateSpec = {
  metadata?: MetaV1ObjectMeta;
  spec?: CoreV1PodSpec;
};
export type CoreV1PortStatus = {
  error?: string;
  port: number;
  protocol: string;
};
export type CoreV1PortworxVolumeSource = {
  fsType?: string;
  readOnly?: boolean;
  volumeID: string;
};
export type CoreV1PreferredSchedulingTerm = {
  preference: CoreV1NodeSelectorTerm;
  weight: number;
};
export type CoreV1Probe = {
  exec?: CoreV1ExecAction;
  failureThreshold?: number;
  grpc?: CoreV1GRPCAction;
  httpGet?: CoreV1HTTPGetAction;
  initialDelaySeconds?: number;
  periodSeconds?: number;
  successThreshold?: number;
  tcpSocket?: CoreV1TCPSocketAction;
  terminationGracePeriodSeconds?: number;
  timeoutSeconds?: number;
};
export type CoreV1ProjectedVolumeSource = {
  defaultMode?: number;
  sources?: Array<CoreV1VolumeProjection>;
};
export type CoreV1QuobyteVolumeSource = {
  group?: string;
  readOnly?: boolean;
  registry: string;
  tenant?: string;
  user?: string;
  volume: string;
};
export type CoreV1RBDPersistentVolumeSource = {
  fsType?: string;
  image: string;
  keyring?: string;
  monitors: Array<string>;
  pool?: string;
  readOnly?: boolean;
  secretRef?: CoreV1SecretReference;
  user?: string;
};
export type CoreV1RBDVolumeSource = {
  fsType?: string;
  image: string;
  keyring?: string;
  monitors: Array<string>;
  pool?: string;
  readOnly?: boolean;
  secretRef?: CoreV1LocalObjectReference;
  user?: string;
};
export type CoreV1ReplicationController = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoreV1ReplicationControllerSpec;
  status?: CoreV1ReplicationControllerStatus;
};
export type CoreV1ReplicationControllerCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type CoreV1ReplicationControllerList = {
  apiVersion?: string;
  items: Array<CoreV1ReplicationController>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1ReplicationControllerSpec = {
  minReadySeconds?: number;
  replicas?: number;
  selector?: { [key: string]: string };
  template?: CoreV1PodTemplateSpec;
};
export type CoreV1ReplicationControllerStatus = {
  availableReplicas?: number;
  conditions?: Array<CoreV1ReplicationControllerCondition>;
  fullyLabeledReplicas?: number;
  observedGeneration?: number;
  readyReplicas?: number;
  replicas: number;
};
export type CoreV1ResourceClaim = {
  name: string;
  request?: string;
};
export type CoreV1ResourceFieldSelector = {
  containerName?: string;
  divisor?: ResourceQuantity;
  resource: string;
};
export type CoreV1ResourceHealth = {
  health?: string;
  resourceID: string;
};
export type CoreV1ResourceQuota = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoreV1ResourceQuotaSpec;
  status?: CoreV1ResourceQuotaStatus;
};
export type CoreV1ResourceQuotaList = {
  apiVersion?: string;
  items: Array<CoreV1ResourceQuota>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1ResourceQuotaSpec = {
  hard?: { [key: string]: ResourceQuantity };
  scopeSelector?: CoreV1ScopeSelector;
  scopes?: Array<string>;
};
export type CoreV1ResourceQuotaStatus = {
  hard?: { [key: string]: ResourceQuantity };
  used?: { [key: string]: ResourceQuantity };
};
export type CoreV1ResourceRequirements = {
  claims?: Array<CoreV1ResourceClaim>;
  limits?: { [key: string]: ResourceQuantity };
  requests?: { [key: string]: ResourceQuantity };
};
export type CoreV1ResourceStatus = {
  name: string;
  resources?: Array<CoreV1ResourceHealth>;
};
export type CoreV1SELinuxOptions = {
  level?: string;
  role?: string;
  type?: string;
  user?: string;
};
export type CoreV1ScaleIOPersistentVolumeSource = {
  fsType?: string;
  gateway: string;
  protectionDomain?: string;
  readOnly?: boolean;
  secretRef: CoreV1SecretReference;
  sslEnabled?: boolean;
  storageMode?: string;
  storagePool?: string;
  system: string;
  volumeName?: string;
};
export type CoreV1ScaleIOVolumeSource = {
  fsType?: string;
  gateway: string;
  protectionDomain?: string;
  readOnly?: boolean;
  secretRef: CoreV1LocalObjectReference;
  sslEnabled?: boolean;
  storageMode?: string;
  storagePool?: string;
  system: string;
  volumeName?: string;
};
export type CoreV1ScopeSelector = {
  matchExpressions?: Array<CoreV1ScopedResourceSelectorRequirement>;
};
export type CoreV1ScopedResourceSelectorRequirement = {
  operator: string;
  scopeName: string;
  values?: Array<string>;
};
export type CoreV1SeccompProfile = {
  localhostProfile?: string;
  type: string;
};
export type CoreV1Secret = {
  apiVersion?: string;
  data?: { [key: string]: string };
  immutable?: boolean;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  stringData?: { [key: string]: string };
  type?: string;
};
export type CoreV1SecretEnvSource = {
  name?: string;
  optional?: boolean;
};
export type CoreV1SecretKeySelector = {
  key: string;
  name?: string;
  optional?: boolean;
};
export type CoreV1SecretList = {
  apiVersion?: string;
  items: Array<CoreV1Secret>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1SecretProjection = {
  items?: Array<CoreV1KeyToPath>;
  name?: string;
  optional?: boolean;
};
export type CoreV1SecretReference = {
  name?: string;
  namespace?: string;
};
export type CoreV1SecretVolumeSource = {
  defaultMode?: number;
  items?: Array<CoreV1KeyToPath>;
  optional?: boolean;
  secretName?: string;
};
export type CoreV1SecurityContext = {
  allowPrivilegeEscalation?: boolean;
  appArmorProfile?: CoreV1AppArmorProfile;
  capabilities?: CoreV1Capabilities;
  privileged?: boolean;
  procMount?: string;
  readOnlyRootFilesystem?: boolean;
  runAsGroup?: number;
  runAsNonRoot?: boolean;
  runAsUser?: number;
  seLinuxOptions?: CoreV1SELinuxOptions;
  seccompProfile?: CoreV1SeccompProfile;
  windowsOptions?: CoreV1WindowsSecurityContextOptions;
};
export type CoreV1Service = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: CoreV1ServiceSpec;
  status?: CoreV1ServiceStatus;
};
export type CoreV1ServiceAccount = {
  apiVersion?: string;
  automountServiceAccountToken?: boolean;
  imagePullSecrets?: Array<CoreV1LocalObjectReference>;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  secrets?: Array<CoreV1ObjectReference>;
};
export type CoreV1ServiceAccountList = {
  apiVersion?: string;
  items: Array<CoreV1ServiceAccount>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1ServiceAccountTokenProjection = {
  audience?: string;
  expirationSeconds?: number;
  path: string;
};
export type CoreV1ServiceList = {
  apiVersion?: string;
  items: Array<CoreV1Service>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type CoreV1ServicePort = {
  appProtocol?: string;
  name?: string;
  nodePort?: number;
  port: number;
  protocol?: string;
  targetPort?: IntstrIntOrString;
};
export type CoreV1ServiceSpec = {
  allocateLoadBalancerNodePorts?: boolean;
  clusterIP?: string;
  clusterIPs?: Array<string>;
  externalIPs?: Array<string>;
  externalName?: string;
  externalTrafficPolicy?: string;
  healthCheckNodePort?: number;
  internalTrafficPolicy?: string;
  ipFamilies?: Array<string>;
  ipFamilyPolicy?: string;
  loadBalancerClass?: string;
  loadBalancerIP?: string;
  loadBalancerSourceRanges?: Array<string>;
  ports?: Array<CoreV1ServicePort>;
  publishNotReadyAddresses?: boolean;
  selector?: { [key: string]: string };
  sessionAffinity?: string;
  sessionAffinityConfig?: CoreV1SessionAffinityConfig;
  trafficDistribution?: string;
  type?: string;
};
export type CoreV1ServiceStatus = {
  conditions?: Array<MetaV1Condition>;
  loadBalancer?: CoreV1LoadBalancerStatus;
};
export type CoreV1SessionAffinityConfig = {
  clientIP?: CoreV1ClientIPConfig;
};
export type CoreV1SleepAction = {
  seconds: number;
};
export type CoreV1StorageOSPersistentVolumeSource = {
  fsType?: string;
  readOnly?: boolean;
  secretRef?: CoreV1ObjectReference;
  volumeName?: string;
  volumeNamespace?: string;
};
export type CoreV1StorageOSVolumeSource = {
  fsType?: string;
  readOnly?: boolean;
  secretRef?: CoreV1LocalObjectReference;
  volumeName?: string;
  volumeNamespace?: string;
};
export type CoreV1Sysctl = {
  name: string;
  value: string;
};
export type CoreV1TCPSocketAction = {
  host?: string;
  port: IntstrIntOrString;
};
export type CoreV1Taint = {
  effect: string;
  key: string;
  timeAdded?: MetaV1Time;
  value?: string;
};
export type CoreV1Toleration = {
  effect?: string;
  key?: string;
  operator?: string;
  tolerationSeconds?: number;
  value?: string;
};
export type CoreV1TopologySelectorLabelRequirement = {
  key: string;
  values: Array<string>;
};
export type CoreV1TopologySelectorTerm = {
  matchLabelExpressions?: Array<CoreV1TopologySelectorLabelRequirement>;
};
export type CoreV1TopologySpreadConstraint = {
  labelSelector?: MetaV1LabelSelector;
  matchLabelKeys?: Array<string>;
  maxSkew: number;
  minDomains?: number;
  nodeAffinityPolicy?: string;
  nodeTaintsPolicy?: string;
  topologyKey: string;
  whenUnsatisfiable: string;
};
export type CoreV1TypedLocalObjectReference = {
  apiGroup?: string;
  kind: string;
  name: string;
};
export type CoreV1TypedObjectReference = {
  apiGroup?: string;
  kind: string;
  name: string;
  namespace?: string;
};
export type CoreV1Volume = {
  awsElasticBlockStore?: CoreV1AWSElasticBlockStoreVolumeSource;
  azureDisk?: CoreV1AzureDiskVolumeSource;
  azureFile?: CoreV1AzureFileVolumeSource;
  cephfs?: CoreV1CephFSVolumeSource;
  cinder?: CoreV1CinderVolumeSource;
  configMap?: CoreV1ConfigMapVolumeSource;
  csi?: CoreV1CSIVolumeSource;
  downwardAPI?: CoreV1DownwardAPIVolumeSource;
  emptyDir?: CoreV1EmptyDirVolumeSource;
  ephemeral?: CoreV1EphemeralVolumeSource;
  fc?: CoreV1FCVolumeSource;
  flexVolume?: CoreV1FlexVolumeSource;
  flocker?: CoreV1FlockerVolumeSource;
  gcePersistentDisk?: CoreV1GCEPersistentDiskVolumeSource;
  gitRepo?: CoreV1GitRepoVolumeSource;
  glusterfs?: CoreV1GlusterfsVolumeSource;
  hostPath?: CoreV1HostPathVolumeSource;
  image?: CoreV1ImageVolumeSource;
  iscsi?: CoreV1ISCSIVolumeSource;
  name: string;
  nfs?: CoreV1NFSVolumeSource;
  persistentVolumeClaim?: CoreV1PersistentVolumeClaimVolumeSource;
  photonPersistentDisk?: CoreV1PhotonPersistentDiskVolumeSource;
  portworxVolume?: CoreV1PortworxVolumeSource;
  projected?: CoreV1ProjectedVolumeSource;
  quobyte?: CoreV1QuobyteVolumeSource;
  rbd?: CoreV1RBDVolumeSource;
  scaleIO?: CoreV1ScaleIOVolumeSource;
  secret?: CoreV1SecretVolumeSource;
  storageos?: CoreV1StorageOSVolumeSource;
  vsphereVolume?: CoreV1VsphereVirtualDiskVolumeSource;
};
export type CoreV1VolumeDevice = {
  devicePath: string;
  name: string;
};
export type CoreV1VolumeMount = {
  mountPath: string;
  mountPropagation?: string;
  name: string;
  readOnly?: boolean;
  recursiveReadOnly?: string;
  subPath?: string;
  subPathExpr?: string;
};
export type CoreV1VolumeMountStatus = {
  mountPath: string;
  name: string;
  readOnly?: boolean;
  recursiveReadOnly?: string;
};
export type CoreV1VolumeNodeAffinity = {
  required?: CoreV1NodeSelector;
};
export type CoreV1VolumeProjection = {
  clusterTrustBundle?: CoreV1ClusterTrustBundleProjection;
  configMap?: CoreV1ConfigMapProjection;
  downwardAPI?: CoreV1DownwardAPIProjection;
  podCertificate?: CoreV1PodCertificateProjection;
  secret?: CoreV1SecretProjection;
  serviceAccountToken?: CoreV1ServiceAccountTokenProjection;
};
export type CoreV1VolumeResourceRequirements = {
  limits?: { [key: string]: ResourceQuantity };
  requests?: { [key: string]: ResourceQuantity };
};
export type CoreV1VsphereVirtualDiskVolumeSource = {
  fsType?: string;
  storagePolicyID?: string;
  storagePolicyName?: string;
  volumePath: string;
};
export type CoreV1WeightedPodAffinityTerm = {
  podAffinityTerm: CoreV1PodAffinityTerm;
  weight: number;
};
export type CoreV1WindowsSecurityContextOptions = {
  gmsaCredentialSpec?: string;
  gmsaCredentialSpecName?: string;
  hostProcess?: boolean;
  runAsUserName?: string;
};
export type CoreV1WorkloadReference = {
  name: string;
  podGroup: string;
  podGroupReplicaKey?: string;
};
export type DiscoveryV1Endpoint = {
  addresses: Array<string>;
  conditions?: DiscoveryV1EndpointConditions;
  deprecatedTopology?: { [key: string]: string };
  hints?: DiscoveryV1EndpointHints;
  hostname?: string;
  nodeName?: string;
  targetRef?: CoreV1ObjectReference;
  zone?: string;
};
export type DiscoveryV1EndpointConditions = {
  ready?: boolean;
  serving?: boolean;
  terminating?: boolean;
};
export type DiscoveryV1EndpointHints = {
  forNodes?: Array<DiscoveryV1ForNode>;
  forZones?: Array<DiscoveryV1ForZone>;
};
export type DiscoveryV1EndpointPort = {
  appProtocol?: string;
  name?: string;
  port?: number;
  protocol?: string;
};
export type DiscoveryV1EndpointSlice = {
  addressType: string;
  apiVersion?: string;
  endpoints: Array<DiscoveryV1Endpoint> | null;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  ports?: Array<DiscoveryV1EndpointPort> | null;
};
export type DiscoveryV1EndpointSliceList = {
  apiVersion?: string;
  items: Array<DiscoveryV1EndpointSlice>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type DiscoveryV1ForNode = {
  name: string;
};
export type DiscoveryV1ForZone = {
  name: string;
};
export type EventsV1Event = {
  action?: string;
  apiVersion?: string;
  deprecatedCount?: number;
  deprecatedFirstTimestamp?: MetaV1Time;
  deprecatedLastTimestamp?: MetaV1Time;
  deprecatedSource?: CoreV1EventSource;
  eventTime: MetaV1MicroTime;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  note?: string;
  reason?: string;
  regarding?: CoreV1ObjectReference;
  related?: CoreV1ObjectReference;
  reportingController?: string;
  reportingInstance?: string;
  series?: EventsV1EventSeries;
  type?: string;
};
export type EventsV1EventList = {
  apiVersion?: string;
  items: Array<EventsV1Event>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type EventsV1EventSeries = {
  count: number;
  lastObservedTime: MetaV1MicroTime;
};
export type FlowcontrolV1ExemptPriorityLevelConfiguration = {
  lendablePercent?: number;
  nominalConcurrencyShares?: number;
};
export type FlowcontrolV1FlowDistinguisherMethod = {
  type: string;
};
export type FlowcontrolV1FlowSchema = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: FlowcontrolV1FlowSchemaSpec;
  status?: FlowcontrolV1FlowSchemaStatus;
};
export type FlowcontrolV1FlowSchemaCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status?: string;
  type?: string;
};
export type FlowcontrolV1FlowSchemaList = {
  apiVersion?: string;
  items: Array<FlowcontrolV1FlowSchema>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type FlowcontrolV1FlowSchemaSpec = {
  distinguisherMethod?: FlowcontrolV1FlowDistinguisherMethod;
  matchingPrecedence?: number;
  priorityLevelConfiguration: FlowcontrolV1PriorityLevelConfigurationReference;
  rules?: Array<FlowcontrolV1PolicyRulesWithSubjects>;
};
export type FlowcontrolV1FlowSchemaStatus = {
  conditions?: Array<FlowcontrolV1FlowSchemaCondition>;
};
export type FlowcontrolV1GroupSubject = {
  name: string;
};
export type FlowcontrolV1LimitResponse = {
  queuing?: FlowcontrolV1QueuingConfiguration;
  type: string;
};
export type FlowcontrolV1LimitedPriorityLevelConfiguration = {
  borrowingLimitPercent?: number;
  lendablePercent?: number;
  limitResponse?: FlowcontrolV1LimitResponse;
  nominalConcurrencyShares?: number;
};
export type FlowcontrolV1NonResourcePolicyRule = {
  nonResourceURLs: Array<string>;
  verbs: Array<string>;
};
export type FlowcontrolV1PolicyRulesWithSubjects = {
  nonResourceRules?: Array<FlowcontrolV1NonResourcePolicyRule>;
  resourceRules?: Array<FlowcontrolV1ResourcePolicyRule>;
  subjects: Array<FlowcontrolV1Subject>;
};
export type FlowcontrolV1PriorityLevelConfiguration = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: FlowcontrolV1PriorityLevelConfigurationSpec;
  status?: FlowcontrolV1PriorityLevelConfigurationStatus;
};
export type FlowcontrolV1PriorityLevelConfigurationCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status?: string;
  type?: string;
};
export type FlowcontrolV1PriorityLevelConfigurationList = {
  apiVersion?: string;
  items: Array<FlowcontrolV1PriorityLevelConfiguration>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type FlowcontrolV1PriorityLevelConfigurationReference = {
  name: string;
};
export type FlowcontrolV1PriorityLevelConfigurationSpec = {
  exempt?: FlowcontrolV1ExemptPriorityLevelConfiguration;
  limited?: FlowcontrolV1LimitedPriorityLevelConfiguration;
  type: string;
};
export type FlowcontrolV1PriorityLevelConfigurationStatus = {
  conditions?: Array<FlowcontrolV1PriorityLevelConfigurationCondition>;
};
export type FlowcontrolV1QueuingConfiguration = {
  handSize?: number;
  queueLengthLimit?: number;
  queues?: number;
};
export type FlowcontrolV1ResourcePolicyRule = {
  apiGroups: Array<string>;
  clusterScope?: boolean;
  namespaces?: Array<string>;
  resources: Array<string>;
  verbs: Array<string>;
};
export type FlowcontrolV1ServiceAccountSubject = {
  name: string;
  namespace: string;
};
export type FlowcontrolV1Subject = {
  group?: FlowcontrolV1GroupSubject;
  kind: string;
  serviceAccount?: FlowcontrolV1ServiceAccountSubject;
  user?: FlowcontrolV1UserSubject;
};
export type FlowcontrolV1UserSubject = {
  name: string;
};
export type NetworkingV1HTTPIngressPath = {
  backend: NetworkingV1IngressBackend;
  path?: string;
  pathType: string;
};
export type NetworkingV1HTTPIngressRuleValue = {
  paths: Array<NetworkingV1HTTPIngressPath>;
};
export type NetworkingV1IPAddress = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: NetworkingV1IPAddressSpec;
};
export type NetworkingV1IPAddressList = {
  apiVersion?: string;
  items: Array<NetworkingV1IPAddress>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type NetworkingV1IPAddressSpec = {
  parentRef: NetworkingV1ParentReference;
};
export type NetworkingV1IPBlock = {
  cidr: string;
  except?: Array<string>;
};
export type NetworkingV1Ingress = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: NetworkingV1IngressSpec;
  status?: NetworkingV1IngressStatus;
};
export type NetworkingV1IngressBackend = {
  resource?: CoreV1TypedLocalObjectReference;
  service?: NetworkingV1IngressServiceBackend;
};
export type NetworkingV1IngressClass = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: NetworkingV1IngressClassSpec;
};
export type NetworkingV1IngressClassList = {
  apiVersion?: string;
  items: Array<NetworkingV1IngressClass>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type NetworkingV1IngressClassParametersReference = {
  apiGroup?: string;
  kind: string;
  name: string;
  namespace?: string;
  scope?: string;
};
export type NetworkingV1IngressClassSpec = {
  controller?: string;
  parameters?: NetworkingV1IngressClassParametersReference;
};
export type NetworkingV1IngressList = {
  apiVersion?: string;
  items: Array<NetworkingV1Ingress>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type NetworkingV1IngressLoadBalancerIngress = {
  hostname?: string;
  ip?: string;
  ports?: Array<NetworkingV1IngressPortStatus>;
};
export type NetworkingV1IngressLoadBalancerStatus = {
  ingress?: Array<NetworkingV1IngressLoadBalancerIngress>;
};
export type NetworkingV1IngressPortStatus = {
  error?: string;
  port: number;
  protocol: string;
};
export type NetworkingV1IngressRule = {
  host?: string;
  http?: NetworkingV1HTTPIngressRuleValue;
};
export type NetworkingV1IngressServiceBackend = {
  name: string;
  port?: NetworkingV1ServiceBackendPort;
};
export type NetworkingV1IngressSpec = {
  defaultBackend?: NetworkingV1IngressBackend;
  ingressClassName?: string;
  rules?: Array<NetworkingV1IngressRule>;
  tls?: Array<NetworkingV1IngressTLS>;
};
export type NetworkingV1IngressStatus = {
  loadBalancer?: NetworkingV1IngressLoadBalancerStatus;
};
export type NetworkingV1IngressTLS = {
  hosts?: Array<string>;
  secretName?: string;
};
export type NetworkingV1NetworkPolicy = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: NetworkingV1NetworkPolicySpec;
};
export type NetworkingV1NetworkPolicyEgressRule = {
  ports?: Array<NetworkingV1NetworkPolicyPort>;
  to?: Array<NetworkingV1NetworkPolicyPeer>;
};
export type NetworkingV1NetworkPolicyIngressRule = {
  from?: Array<NetworkingV1NetworkPolicyPeer>;
  ports?: Array<NetworkingV1NetworkPolicyPort>;
};
export type NetworkingV1NetworkPolicyList = {
  apiVersion?: string;
  items: Array<NetworkingV1NetworkPolicy>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type NetworkingV1NetworkPolicyPeer = {
  ipBlock?: NetworkingV1IPBlock;
  namespaceSelector?: MetaV1LabelSelector;
  podSelector?: MetaV1LabelSelector;
};
export type NetworkingV1NetworkPolicyPort = {
  endPort?: number;
  port?: IntstrIntOrString;
  protocol?: string;
};
export type NetworkingV1NetworkPolicySpec = {
  egress?: Array<NetworkingV1NetworkPolicyEgressRule>;
  ingress?: Array<NetworkingV1NetworkPolicyIngressRule>;
  podSelector?: MetaV1LabelSelector;
  policyTypes?: Array<string>;
};
export type NetworkingV1ParentReference = {
  group?: string;
  name: string;
  namespace?: string;
  resource: string;
};
export type NetworkingV1ServiceBackendPort = {
  name?: string;
  number?: number;
};
export type NetworkingV1ServiceCIDR = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: NetworkingV1ServiceCIDRSpec;
  status?: NetworkingV1ServiceCIDRStatus;
};
export type NetworkingV1ServiceCIDRList = {
  apiVersion?: string;
  items: Array<NetworkingV1ServiceCIDR>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type NetworkingV1ServiceCIDRSpec = {
  cidrs?: Array<string>;
};
export type NetworkingV1ServiceCIDRStatus = {
  conditions?: Array<MetaV1Condition>;
};
export type NodeV1Overhead = {
  podFixed?: { [key: string]: ResourceQuantity };
};
export type NodeV1RuntimeClass = {
  apiVersion?: string;
  handler: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  overhead?: NodeV1Overhead;
  scheduling?: NodeV1Scheduling;
};
export type NodeV1RuntimeClassList = {
  apiVersion?: string;
  items: Array<NodeV1RuntimeClass>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type NodeV1Scheduling = {
  nodeSelector?: { [key: string]: string };
  tolerations?: Array<CoreV1Toleration>;
};
export type PolicyV1Eviction = {
  apiVersion?: string;
  deleteOptions?: MetaV1DeleteOptions;
  kind?: string;
  metadata: MetaV1ObjectMeta;
};
export type PolicyV1PodDisruptionBudget = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: PolicyV1PodDisruptionBudgetSpec;
  status?: PolicyV1PodDisruptionBudgetStatus;
};
export type PolicyV1PodDisruptionBudgetList = {
  apiVersion?: string;
  items: Array<PolicyV1PodDisruptionBudget>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type PolicyV1PodDisruptionBudgetSpec = {
  maxUnavailable?: IntstrIntOrString;
  minAvailable?: IntstrIntOrString;
  selector?: MetaV1LabelSelector;
  unhealthyPodEvictionPolicy?: string;
};
export type PolicyV1PodDisruptionBudgetStatus = {
  conditions?: Array<MetaV1Condition>;
  currentHealthy: number;
  desiredHealthy: number;
  disruptedPods?: { [key: string]: MetaV1Time };
  disruptionsAllowed: number;
  expectedPods: number;
  observedGeneration?: number;
};
export type RbacV1AggregationRule = {
  clusterRoleSelectors?: Array<MetaV1LabelSelector>;
};
export type RbacV1ClusterRole = {
  aggregationRule?: RbacV1AggregationRule;
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  rules?: Array<RbacV1PolicyRule> | null;
};
export type RbacV1ClusterRoleBinding = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  roleRef: RbacV1RoleRef;
  subjects?: Array<RbacV1Subject>;
};
export type RbacV1ClusterRoleBindingList = {
  apiVersion?: string;
  items: Array<RbacV1ClusterRoleBinding>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type RbacV1ClusterRoleList = {
  apiVersion?: string;
  items: Array<RbacV1ClusterRole>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type RbacV1PolicyRule = {
  apiGroups?: Array<string>;
  nonResourceURLs?: Array<string>;
  resourceNames?: Array<string>;
  resources?: Array<string>;
  verbs: Array<string>;
};
export type RbacV1Role = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  rules?: Array<RbacV1PolicyRule> | null;
};
export type RbacV1RoleBinding = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  roleRef: RbacV1RoleRef;
  subjects?: Array<RbacV1Subject>;
};
export type RbacV1RoleBindingList = {
  apiVersion?: string;
  items: Array<RbacV1RoleBinding>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type RbacV1RoleList = {
  apiVersion?: string;
  items: Array<RbacV1Role>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type RbacV1RoleRef = {
  apiGroup: string;
  kind: string;
  name: string;
};
export type RbacV1Subject = {
  apiGroup?: string;
  kind: string;
  name: string;
  namespace?: string;
};
export type ResourceV1AllocatedDeviceStatus = {
  conditions?: Array<MetaV1Condition>;
  data?: RuntimeRawExtension;
  device: string;
  driver: string;
  networkData?: ResourceV1NetworkDeviceData;
  pool: string;
  shareID?: string;
};
export type ResourceV1AllocationResult = {
  allocationTimestamp?: MetaV1Time;
  devices?: ResourceV1DeviceAllocationResult;
  nodeSelector?: CoreV1NodeSelector;
};
export type ResourceV1CELDeviceSelector = {
  expression: string;
};
export type ResourceV1CapacityRequestPolicy = {
  default?: ResourceQuantity;
  validRange?: ResourceV1CapacityRequestPolicyRange;
  validValues?: Array<ResourceQuantity>;
};
export type ResourceV1CapacityRequestPolicyRange = {
  max?: ResourceQuantity;
  min: ResourceQuantity;
  step?: ResourceQuantity;
};
export type ResourceV1CapacityRequirements = {
  requests?: { [key: string]: ResourceQuantity };
};
export type ResourceV1Counter = {
  value: ResourceQuantity;
};
export type ResourceV1CounterSet = {
  counters: { [key: string]: ResourceV1Counter };
  name: string;
};
export type ResourceV1Device = {
  allNodes?: boolean;
  allowMultipleAllocations?: boolean;
  attributes?: { [key: string]: ResourceV1DeviceAttribute };
  bindingConditions?: Array<string>;
  bindingFailureConditions?: Array<string>;
  bindsToNode?: boolean;
  capacity?: { [key: string]: ResourceV1DeviceCapacity };
  consumesCounters?: Array<ResourceV1DeviceCounterConsumption>;
  name: string;
  nodeName?: string;
  nodeSelector?: CoreV1NodeSelector;
  taints?: Array<ResourceV1DeviceTaint>;
};
export type ResourceV1DeviceAllocationConfiguration = {
  opaque?: ResourceV1OpaqueDeviceConfiguration;
  requests?: Array<string>;
  source: string;
};
export type ResourceV1DeviceAllocationResult = {
  config?: Array<ResourceV1DeviceAllocationConfiguration>;
  results?: Array<ResourceV1DeviceRequestAllocationResult>;
};
export type ResourceV1DeviceAttribute = {
  bool?: boolean;
  int?: number;
  string?: string;
  version?: string;
};
export type ResourceV1DeviceCapacity = {
  requestPolicy?: ResourceV1CapacityRequestPolicy;
  value: ResourceQuantity;
};
export type ResourceV1DeviceClaim = {
  config?: Array<ResourceV1DeviceClaimConfiguration>;
  constraints?: Array<ResourceV1DeviceConstraint>;
  requests?: Array<ResourceV1DeviceRequest>;
};
export type ResourceV1DeviceClaimConfiguration = {
  opaque?: ResourceV1OpaqueDeviceConfiguration;
  requests?: Array<string>;
};
export type ResourceV1DeviceClass = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: ResourceV1DeviceClassSpec;
};
export type ResourceV1DeviceClassConfiguration = {
  opaque?: ResourceV1OpaqueDeviceConfiguration;
};
export type ResourceV1DeviceClassList = {
  apiVersion?: string;
  items: Array<ResourceV1DeviceClass>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type ResourceV1DeviceClassSpec = {
  config?: Array<ResourceV1DeviceClassConfiguration>;
  extendedResourceName?: string;
  selectors?: Array<ResourceV1DeviceSelector>;
};
export type ResourceV1DeviceConstraint = {
  distinctAttribute?: string;
  matchAttribute?: string;
  requests?: Array<string>;
};
export type ResourceV1DeviceCounterConsumption = {
  counterSet: string;
  counters: { [key: string]: ResourceV1Counter };
};
export type ResourceV1DeviceRequest = {
  exactly?: ResourceV1ExactDeviceRequest;
  firstAvailable?: Array<ResourceV1DeviceSubRequest>;
  name: string;
};
export type ResourceV1DeviceRequestAllocationResult = {
  adminAccess?: boolean;
  bindingConditions?: Array<string>;
  bindingFailureConditions?: Array<string>;
  consumedCapacity?: { [key: string]: ResourceQuantity };
  device: string;
  driver: string;
  pool: string;
  request: string;
  shareID?: string;
  tolerations?: Array<ResourceV1DeviceToleration>;
};
export type ResourceV1DeviceSelector = {
  cel?: ResourceV1CELDeviceSelector;
};
export type ResourceV1DeviceSubRequest = {
  allocationMode?: string;
  capacity?: ResourceV1CapacityRequirements;
  count?: number;
  deviceClassName: string;
  name: string;
  selectors?: Array<ResourceV1DeviceSelector>;
  tolerations?: Array<ResourceV1DeviceToleration>;
};
export type ResourceV1DeviceTaint = {
  effect: string;
  key: string;
  timeAdded?: MetaV1Time;
  value?: string;
};
export type ResourceV1DeviceToleration = {
  effect?: string;
  key?: string;
  operator?: string;
  tolerationSeconds?: number;
  value?: string;
};
export type ResourceV1ExactDeviceRequest = {
  adminAccess?: boolean;
  allocationMode?: string;
  capacity?: ResourceV1CapacityRequirements;
  count?: number;
  deviceClassName: string;
  selectors?: Array<ResourceV1DeviceSelector>;
  tolerations?: Array<ResourceV1DeviceToleration>;
};
export type ResourceV1NetworkDeviceData = {
  hardwareAddress?: string;
  interfaceName?: string;
  ips?: Array<string>;
};
export type ResourceV1OpaqueDeviceConfiguration = {
  driver: string;
  parameters: RuntimeRawExtension;
};
export type ResourceV1ResourceClaim = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: ResourceV1ResourceClaimSpec;
  status?: ResourceV1ResourceClaimStatus;
};
export type ResourceV1ResourceClaimConsumerReference = {
  apiGroup?: string;
  name: string;
  resource: string;
  uid: string;
};
export type ResourceV1ResourceClaimList = {
  apiVersion?: string;
  items: Array<ResourceV1ResourceClaim>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type ResourceV1ResourceClaimSpec = {
  devices?: ResourceV1DeviceClaim;
};
export type ResourceV1ResourceClaimStatus = {
  allocation?: ResourceV1AllocationResult;
  devices?: Array<ResourceV1AllocatedDeviceStatus>;
  reservedFor?: Array<ResourceV1ResourceClaimConsumerReference>;
};
export type ResourceV1ResourceClaimTemplate = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: ResourceV1ResourceClaimTemplateSpec;
};
export type ResourceV1ResourceClaimTemplateList = {
  apiVersion?: string;
  items: Array<ResourceV1ResourceClaimTemplate>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type ResourceV1ResourceClaimTemplateSpec = {
  metadata?: MetaV1ObjectMeta;
  spec: ResourceV1ResourceClaimSpec;
};
export type ResourceV1ResourcePool = {
  generation: number;
  name: string;
  resourceSliceCount: number;
};
export type ResourceV1ResourceSlice = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: ResourceV1ResourceSliceSpec;
};
export type ResourceV1ResourceSliceList = {
  apiVersion?: string;
  items: Array<ResourceV1ResourceSlice>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type ResourceV1ResourceSliceSpec = {
  allNodes?: boolean;
  devices?: Array<ResourceV1Device>;
  driver: string;
  nodeName?: string;
  nodeSelector?: CoreV1NodeSelector;
  perDeviceNodeSelection?: boolean;
  pool: ResourceV1ResourcePool;
  sharedCounters?: Array<ResourceV1CounterSet>;
};
export type SchedulingV1PriorityClass = {
  apiVersion?: string;
  description?: string;
  globalDefault?: boolean;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  preemptionPolicy?: string;
  value: number;
};
export type SchedulingV1PriorityClassList = {
  apiVersion?: string;
  items: Array<SchedulingV1PriorityClass>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type StorageV1CSIDriver = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: StorageV1CSIDriverSpec;
};
export type StorageV1CSIDriverList = {
  apiVersion?: string;
  items: Array<StorageV1CSIDriver>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type StorageV1CSIDriverSpec = {
  attachRequired?: boolean;
  fsGroupPolicy?: string;
  nodeAllocatableUpdatePeriodSeconds?: number;
  podInfoOnMount?: boolean;
  requiresRepublish?: boolean;
  seLinuxMount?: boolean;
  serviceAccountTokenInSecrets?: boolean;
  storageCapacity?: boolean;
  tokenRequests?: Array<StorageV1TokenRequest>;
  volumeLifecycleModes?: Array<string>;
};
export type StorageV1CSINode = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: StorageV1CSINodeSpec;
};
export type StorageV1CSINodeDriver = {
  allocatable?: StorageV1VolumeNodeResources;
  name: string;
  nodeID: string;
  topologyKeys?: Array<string>;
};
export type StorageV1CSINodeList = {
  apiVersion?: string;
  items: Array<StorageV1CSINode>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type StorageV1CSINodeSpec = {
  drivers: Array<StorageV1CSINodeDriver>;
};
export type StorageV1CSIStorageCapacity = {
  apiVersion?: string;
  capacity?: ResourceQuantity;
  kind?: string;
  maximumVolumeSize?: ResourceQuantity;
  metadata: MetaV1ObjectMeta;
  nodeTopology?: MetaV1LabelSelector;
  storageClassName: string;
};
export type StorageV1CSIStorageCapacityList = {
  apiVersion?: string;
  items: Array<StorageV1CSIStorageCapacity>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type StorageV1StorageClass = {
  allowVolumeExpansion?: boolean;
  allowedTopologies?: Array<CoreV1TopologySelectorTerm>;
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  mountOptions?: Array<string>;
  parameters?: { [key: string]: string };
  provisioner: string;
  reclaimPolicy?: string;
  volumeBindingMode?: string;
};
export type StorageV1StorageClassList = {
  apiVersion?: string;
  items: Array<StorageV1StorageClass>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type StorageV1TokenRequest = {
  audience: string;
  expirationSeconds?: number;
};
export type StorageV1VolumeAttachment = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: StorageV1VolumeAttachmentSpec;
  status?: StorageV1VolumeAttachmentStatus;
};
export type StorageV1VolumeAttachmentList = {
  apiVersion?: string;
  items: Array<StorageV1VolumeAttachment>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type StorageV1VolumeAttachmentSource = {
  inlineVolumeSpec?: CoreV1PersistentVolumeSpec;
  persistentVolumeName?: string;
};
export type StorageV1VolumeAttachmentSpec = {
  attacher: string;
  nodeName: string;
  source: StorageV1VolumeAttachmentSource;
};
export type StorageV1VolumeAttachmentStatus = {
  attachError?: StorageV1VolumeError;
  attached: boolean;
  attachmentMetadata?: { [key: string]: string };
  detachError?: StorageV1VolumeError;
};
export type StorageV1VolumeAttributesClass = {
  apiVersion?: string;
  driverName: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  parameters?: { [key: string]: string };
};
export type StorageV1VolumeAttributesClassList = {
  apiVersion?: string;
  items: Array<StorageV1VolumeAttributesClass>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type StorageV1VolumeError = {
  errorCode?: number;
  message?: string;
  time?: MetaV1Time;
};
export type StorageV1VolumeNodeResources = {
  count?: number;
};
export type ApiextensionsV1CustomResourceColumnDefinition = {
  description?: string;
  format?: string;
  jsonPath: string;
  name: string;
  priority?: number;
  type: string;
};
export type ApiextensionsV1CustomResourceConversion = {
  strategy: string;
  webhook?: ApiextensionsV1WebhookConversion;
};
export type ApiextensionsV1CustomResourceDefinition = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: ApiextensionsV1CustomResourceDefinitionSpec;
  status?: ApiextensionsV1CustomResourceDefinitionStatus;
};
export type ApiextensionsV1CustomResourceDefinitionCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  observedGeneration?: number;
  reason?: string;
  status: string;
  type: string;
};
export type ApiextensionsV1CustomResourceDefinitionList = {
  apiVersion?: string;
  items: Array<ApiextensionsV1CustomResourceDefinition>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type ApiextensionsV1CustomResourceDefinitionNames = {
  categories?: Array<string>;
  kind: string;
  listKind?: string;
  plural: string;
  shortNames?: Array<string>;
  singular?: string;
};
export type ApiextensionsV1CustomResourceDefinitionSpec = {
  conversion?: ApiextensionsV1CustomResourceConversion;
  group: string;
  names: ApiextensionsV1CustomResourceDefinitionNames;
  preserveUnknownFields?: boolean;
  scope: string;
  versions: Array<ApiextensionsV1CustomResourceDefinitionVersion>;
};
export type ApiextensionsV1CustomResourceDefinitionStatus = {
  acceptedNames?: ApiextensionsV1CustomResourceDefinitionNames;
  conditions?: Array<ApiextensionsV1CustomResourceDefinitionCondition> | null;
  observedGeneration?: number;
  storedVersions?: Array<string> | null;
};
export type ApiextensionsV1CustomResourceDefinitionVersion = {
  additionalPrinterColumns?: Array<ApiextensionsV1CustomResourceColumnDefinition>;
  deprecated?: boolean;
  deprecationWarning?: string;
  name: string;
  schema?: ApiextensionsV1CustomResourceValidation;
  selectableFields?: Array<ApiextensionsV1SelectableField>;
  served: boolean;
  storage: boolean;
  subresources?: ApiextensionsV1CustomResourceSubresources;
};
export type ApiextensionsV1CustomResourceSubresourceScale = {
  labelSelectorPath?: string;
  specReplicasPath: string;
  statusReplicasPath: string;
};
export type ApiextensionsV1CustomResourceSubresourceStatus = Record<string, unknown>;
export type ApiextensionsV1CustomResourceSubresources = {
  scale?: ApiextensionsV1CustomResourceSubresourceScale;
  status?: ApiextensionsV1CustomResourceSubresourceStatus;
};
export type ApiextensionsV1CustomResourceValidation = {
  openAPIV3Schema?: ApiextensionsV1JSONSchemaProps;
};
export type ApiextensionsV1ExternalDocumentation = {
  description?: string;
  url?: string;
};
export type ApiextensionsV1JSON = unknown;
export type ApiextensionsV1JSONSchemaProps = {
  "$ref"?: string;
  "$schema"?: string;
  additionalItems?: ApiextensionsV1JSONSchemaPropsOrBool;
  additionalProperties?: ApiextensionsV1JSONSchemaPropsOrBool;
  allOf?: Array<ApiextensionsV1JSONSchemaProps>;
  anyOf?: Array<ApiextensionsV1JSONSchemaProps>;
  default?: ApiextensionsV1JSON;
  definitions?: { [key: string]: ApiextensionsV1JSONSchemaProps };
  dependencies?: { [key: string]: ApiextensionsV1JSONSchemaPropsOrStringArray };
  description?: string;
  enum?: Array<ApiextensionsV1JSON>;
  example?: ApiextensionsV1JSON;
  exclusiveMaximum?: boolean;
  exclusiveMinimum?: boolean;
  externalDocs?: ApiextensionsV1ExternalDocumentation;
  format?: string;
  id?: string;
  items?: ApiextensionsV1JSONSchemaPropsOrArray;
  maxItems?: number;
  maxLength?: number;
  maxProperties?: number;
  maximum?: number;
  minItems?: number;
  minLength?: number;
  minProperties?: number;
  minimum?: number;
  multipleOf?: number;
  not?: ApiextensionsV1JSONSchemaProps;
  nullable?: boolean;
  oneOf?: Array<ApiextensionsV1JSONSchemaProps>;
  pattern?: string;
  patternProperties?: { [key: string]: ApiextensionsV1JSONSchemaProps };
  properties?: { [key: string]: ApiextensionsV1JSONSchemaProps };
  required?: Array<string>;
  title?: string;
  type?: string;
  uniqueItems?: boolean;
  "x-kubernetes-embedded-resource"?: boolean;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-list-map-keys"?: Array<string>;
  "x-kubernetes-list-type"?: string;
  "x-kubernetes-map-type"?: string;
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-validations"?: Array<ApiextensionsV1ValidationRule>;
};
export type ApiextensionsV1JSONSchemaPropsOrArray = unknown;
export type ApiextensionsV1JSONSchemaPropsOrBool = unknown;
export type ApiextensionsV1JSONSchemaPropsOrStringArray = unknown;
export type ApiextensionsV1SelectableField = {
  jsonPath: string;
};
export type ApiextensionsV1ServiceReference = {
  name: string;
  namespace: string;
  path?: string;
  port?: number;
};
export type ApiextensionsV1ValidationRule = {
  fieldPath?: string;
  message?: string;
  messageExpression?: string;
  optionalOldSelf?: boolean;
  reason?: string;
  rule: string;
};
export type ApiextensionsV1WebhookClientConfig = {
  caBundle?: string;
  service?: ApiextensionsV1ServiceReference;
  url?: string;
};
export type ApiextensionsV1WebhookConversion = {
  clientConfig?: ApiextensionsV1WebhookClientConfig;
  conversionReviewVersions: Array<string>;
};
export type ResourceQuantity = string;
export type MetaV1APIGroup = {
  apiVersion?: string;
  kind?: string;
  name: string;
  preferredVersion?: MetaV1GroupVersionForDiscovery;
  serverAddressByClientCIDRs?: Array<MetaV1ServerAddressByClientCIDR>;
  versions: Array<MetaV1GroupVersionForDiscovery>;
};
export type MetaV1APIGroupList = {
  apiVersion?: string;
  groups: Array<MetaV1APIGroup>;
  kind?: string;
};
export type MetaV1APIResource = {
  categories?: Array<string>;
  group?: string;
  kind: string;
  name: string;
  namespaced: boolean;
  shortNames?: Array<string>;
  singularName: string;
  storageVersionHash?: string;
  verbs: Array<string>;
  version?: string;
};
export type MetaV1APIResourceList = {
  apiVersion?: string;
  groupVersion: string;
  kind?: string;
  resources: Array<MetaV1APIResource>;
};
export type MetaV1APIVersions = {
  apiVersion?: string;
  kind?: string;
  serverAddressByClientCIDRs: Array<MetaV1ServerAddressByClientCIDR>;
  versions: Array<string>;
};
export type MetaV1Condition = {
  lastTransitionTime: MetaV1Time;
  message: string;
  observedGeneration?: number;
  reason: string;
  status: string;
  type: string;
};
export type MetaV1DeleteOptions = {
  apiVersion?: string;
  dryRun?: Array<string>;
  gracePeriodSeconds?: number;
  ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
  kind?: string;
  orphanDependents?: boolean;
  preconditions?: MetaV1Preconditions;
  propagationPolicy?: string;
};
export type MetaV1FieldSelectorRequirement = {
  key: string;
  operator: string;
  values?: Array<string>;
};
export type MetaV1FieldsV1 = Record<string, unknown>;
export type MetaV1GroupResource = {
  group: string;
  resource: string;
};
export type MetaV1GroupVersionForDiscovery = {
  groupVersion: string;
  version: string;
};
export type MetaV1LabelSelector = {
  matchExpressions?: Array<MetaV1LabelSelectorRequirement>;
  matchLabels?: { [key: string]: string };
};
export type MetaV1LabelSelectorRequirement = {
  key: string;
  operator: string;
  values?: Array<string>;
};
export type MetaV1ListMeta = {
  continue?: string;
  remainingItemCount?: number;
  resourceVersion?: string;
  selfLink?: string;
};
export type MetaV1ManagedFieldsEntry = {
  apiVersion?: string;
  fieldsType?: string;
  fieldsV1?: MetaV1FieldsV1;
  manager?: string;
  operation?: string;
  subresource?: string;
  time?: MetaV1Time;
};
export type MetaV1MicroTime = string;
export type MetaV1ObjectMeta = {
  annotations?: { [key: string]: string };
  creationTimestamp?: MetaV1Time;
  deletionGracePeriodSeconds?: number;
  deletionTimestamp?: MetaV1Time;
  finalizers?: Array<string>;
  generateName?: string;
  generation?: number;
  labels?: { [key: string]: string };
  managedFields?: Array<MetaV1ManagedFieldsEntry>;
  name?: string;
  namespace?: string;
  ownerReferences?: Array<MetaV1OwnerReference>;
  resourceVersion?: string;
  selfLink?: string;
  uid?: string;
};
export type MetaV1OwnerReference = {
  apiVersion: string;
  blockOwnerDeletion?: boolean;
  controller?: boolean;
  kind: string;
  name: string;
  uid: string;
};
export type MetaV1Patch = Record<string, unknown>;
export type MetaV1Preconditions = {
  resourceVersion?: string;
  uid?: string;
};
export type MetaV1ServerAddressByClientCIDR = {
  clientCIDR: string;
  serverAddress: string;
};
export type MetaV1Status = {
  apiVersion?: string;
  code?: number;
  details?: MetaV1StatusDetails;
  kind?: string;
  message?: string;
  metadata: MetaV1ListMeta;
  reason?: string;
  status?: string;
};
export type MetaV1StatusCause = {
  field?: string;
  message?: string;
  reason?: string;
};
export type MetaV1StatusDetails = {
  causes?: Array<MetaV1StatusCause>;
  group?: string;
  kind?: string;
  name?: string;
  retryAfterSeconds?: number;
  uid?: string;
};
export type MetaV1Time = string;
export type MetaV1WatchEvent = {
  object: RuntimeRawExtension;
  type: string;
};
export type RuntimeRawExtension = Record<string, unknown>;
export type IntstrIntOrString = number | string;
export type VersionInfo = {
  buildDate: string;
  compiler: string;
  emulationMajor?: string;
  emulationMinor?: string;
  gitCommit: string;
  gitTreeState: string;
  gitVersion: string;
  goVersion: string;
  major: string;
  minCompatibilityMajor?: string;
  minCompatibilityMinor?: string;
  minor: string;
  platform: string;
};
export type ApiregistrationV1APIService = {
  apiVersion?: string;
  kind?: string;
  metadata: MetaV1ObjectMeta;
  spec: ApiregistrationV1APIServiceSpec;
  status?: ApiregistrationV1APIServiceStatus;
};
export type ApiregistrationV1APIServiceCondition = {
  lastTransitionTime?: MetaV1Time;
  message?: string;
  reason?: string;
  status: string;
  type: string;
};
export type ApiregistrationV1APIServiceList = {
  apiVersion?: string;
  items: Array<ApiregistrationV1APIService>;
  kind?: string;
  metadata: MetaV1ListMeta;
};
export type ApiregistrationV1APIServiceSpec = {
  caBundle?: string;
  group?: string;
  groupPriorityMinimum: number;
  insecureSkipTLSVerify?: boolean;
  service?: ApiregistrationV1ServiceReference;
  version?: string;
  versionPriority: number;
};
export type ApiregistrationV1APIServiceStatus = {
  conditions?: Array<ApiregistrationV1APIServiceCondition>;
};
export type ApiregistrationV1ServiceReference = {
  name?: string;
  namespace?: string;
  port?: number;
};
/** Every definition of the official documents, by its name there. */
export type Schemas = {
  "io.k8s.api.admissionregistration.v1.AuditAnnotation": AdmissionregistrationV1AuditAnnotation;
  "io.k8s.api.admissionregistration.v1.ExpressionWarning": AdmissionregistrationV1ExpressionWarning;
  "io.k8s.api.admissionregistration.v1.MatchCondition": AdmissionregistrationV1MatchCondition;
  "io.k8s.api.admissionregistration.v1.MatchResources": AdmissionregistrationV1MatchResources;
  "io.k8s.api.admissionregistration.v1.MutatingWebhook": AdmissionregistrationV1MutatingWebhook;
  "io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration": AdmissionregistrationV1MutatingWebhookConfiguration;
  "io.k8s.api.admissionregistration.v1.MutatingWebhookConfigurationList": AdmissionregistrationV1MutatingWebhookConfigurationList;
  "io.k8s.api.admissionregistration.v1.NamedRuleWithOperations": AdmissionregistrationV1NamedRuleWithOperations;
  "io.k8s.api.admissionregistration.v1.ParamKind": AdmissionregistrationV1ParamKind;
  "io.k8s.api.admissionregistration.v1.ParamRef": AdmissionregistrationV1ParamRef;
  "io.k8s.api.admissionregistration.v1.RuleWithOperations": AdmissionregistrationV1RuleWithOperations;
  "io.k8s.api.admissionregistration.v1.ServiceReference": AdmissionregistrationV1ServiceReference;
  "io.k8s.api.admissionregistration.v1.TypeChecking": AdmissionregistrationV1TypeChecking;
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy": AdmissionregistrationV1ValidatingAdmissionPolicy;
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding": AdmissionregistrationV1ValidatingAdmissionPolicyBinding;
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingList": AdmissionregistrationV1ValidatingAdmissionPolicyBindingList;
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec": AdmissionregistrationV1ValidatingAdmissionPolicyBindingSpec;
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyList": AdmissionregistrationV1ValidatingAdmissionPolicyList;
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec": AdmissionregistrationV1ValidatingAdmissionPolicySpec;
  "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyStatus": AdmissionregistrationV1ValidatingAdmissionPolicyStatus;
  "io.k8s.api.admissionregistration.v1.ValidatingWebhook": AdmissionregistrationV1ValidatingWebhook;
  "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration": AdmissionregistrationV1ValidatingWebhookConfiguration;
  "io.k8s.api.admissionregistration.v1.ValidatingWebhookConfigurationList": AdmissionregistrationV1ValidatingWebhookConfigurationList;
  "io.k8s.api.admissionregistration.v1.Validation": AdmissionregistrationV1Validation;
  "io.k8s.api.admissionregistration.v1.Variable": AdmissionregistrationV1Variable;
  "io.k8s.api.admissionregistration.v1.WebhookClientConfig": AdmissionregistrationV1WebhookClientConfig;
  "io.k8s.api.admissionregistration.v1beta1.ApplyConfiguration": AdmissionregistrationV1beta1ApplyConfiguration;
  "io.k8s.api.admissionregistration.v1beta1.JSONPatch": AdmissionregistrationV1beta1JSONPatch;
  "io.k8s.api.admissionregistration.v1beta1.MatchCondition": AdmissionregistrationV1beta1MatchCondition;
  "io.k8s.api.admissionregistration.v1beta1.MatchResources": AdmissionregistrationV1beta1MatchResources;
  "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicy": AdmissionregistrationV1beta1MutatingAdmissionPolicy;
  "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyBinding": AdmissionregistrationV1beta1MutatingAdmissionPolicyBinding;
  "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyBindingList": AdmissionregistrationV1beta1MutatingAdmissionPolicyBindingList;
  "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyBindingSpec": AdmissionregistrationV1beta1MutatingAdmissionPolicyBindingSpec;
  "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicyList": AdmissionregistrationV1beta1MutatingAdmissionPolicyList;
  "io.k8s.api.admissionregistration.v1beta1.MutatingAdmissionPolicySpec": AdmissionregistrationV1beta1MutatingAdmissionPolicySpec;
  "io.k8s.api.admissionregistration.v1beta1.Mutation": AdmissionregistrationV1beta1Mutation;
  "io.k8s.api.admissionregistration.v1beta1.NamedRuleWithOperations": AdmissionregistrationV1beta1NamedRuleWithOperations;
  "io.k8s.api.admissionregistration.v1beta1.ParamKind": AdmissionregistrationV1beta1ParamKind;
  "io.k8s.api.admissionregistration.v1beta1.ParamRef": AdmissionregistrationV1beta1ParamRef;
  "io.k8s.api.admissionregistration.v1beta1.Variable": AdmissionregistrationV1beta1Variable;
  "io.k8s.api.apps.v1.ControllerRevision": AppsV1ControllerRevision;
  "io.k8s.api.apps.v1.ControllerRevisionList": AppsV1ControllerRevisionList;
  "io.k8s.api.apps.v1.DaemonSet": AppsV1DaemonSet;
  "io.k8s.api.apps.v1.DaemonSetCondition": AppsV1DaemonSetCondition;
  "io.k8s.api.apps.v1.DaemonSetList": AppsV1DaemonSetList;
  "io.k8s.api.apps.v1.DaemonSetSpec": AppsV1DaemonSetSpec;
  "io.k8s.api.apps.v1.DaemonSetStatus": AppsV1DaemonSetStatus;
  "io.k8s.api.apps.v1.DaemonSetUpdateStrategy": AppsV1DaemonSetUpdateStrategy;
  "io.k8s.api.apps.v1.Deployment": AppsV1Deployment;
  "io.k8s.api.apps.v1.DeploymentCondition": AppsV1DeploymentCondition;
  "io.k8s.api.apps.v1.DeploymentList": AppsV1DeploymentList;
  "io.k8s.api.apps.v1.DeploymentSpec": AppsV1DeploymentSpec;
  "io.k8s.api.apps.v1.DeploymentStatus": AppsV1DeploymentStatus;
  "io.k8s.api.apps.v1.DeploymentStrategy": AppsV1DeploymentStrategy;
  "io.k8s.api.apps.v1.ReplicaSet": AppsV1ReplicaSet;
  "io.k8s.api.apps.v1.ReplicaSetCondition": AppsV1ReplicaSetCondition;
  "io.k8s.api.apps.v1.ReplicaSetList": AppsV1ReplicaSetList;
  "io.k8s.api.apps.v1.ReplicaSetSpec": AppsV1ReplicaSetSpec;
  "io.k8s.api.apps.v1.ReplicaSetStatus": AppsV1ReplicaSetStatus;
  "io.k8s.api.apps.v1.RollingUpdateDaemonSet": AppsV1RollingUpdateDaemonSet;
  "io.k8s.api.apps.v1.RollingUpdateDeployment": AppsV1RollingUpdateDeployment;
  "io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy": AppsV1RollingUpdateStatefulSetStrategy;
  "io.k8s.api.apps.v1.StatefulSet": AppsV1StatefulSet;
  "io.k8s.api.apps.v1.StatefulSetCondition": AppsV1StatefulSetCondition;
  "io.k8s.api.apps.v1.StatefulSetList": AppsV1StatefulSetList;
  "io.k8s.api.apps.v1.StatefulSetOrdinals": AppsV1StatefulSetOrdinals;
  "io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": AppsV1StatefulSetPersistentVolumeClaimRetentionPolicy;
  "io.k8s.api.apps.v1.StatefulSetSpec": AppsV1StatefulSetSpec;
  "io.k8s.api.apps.v1.StatefulSetStatus": AppsV1StatefulSetStatus;
  "io.k8s.api.apps.v1.StatefulSetUpdateStrategy": AppsV1StatefulSetUpdateStrategy;
  "io.k8s.api.authentication.v1.BoundObjectReference": AuthenticationV1BoundObjectReference;
  "io.k8s.api.authentication.v1.SelfSubjectReview": AuthenticationV1SelfSubjectReview;
  "io.k8s.api.authentication.v1.SelfSubjectReviewStatus": AuthenticationV1SelfSubjectReviewStatus;
  "io.k8s.api.authentication.v1.TokenRequest": AuthenticationV1TokenRequest;
  "io.k8s.api.authentication.v1.TokenRequestSpec": AuthenticationV1TokenRequestSpec;
  "io.k8s.api.authentication.v1.TokenRequestStatus": AuthenticationV1TokenRequestStatus;
  "io.k8s.api.authentication.v1.TokenReview": AuthenticationV1TokenReview;
  "io.k8s.api.authentication.v1.TokenReviewSpec": AuthenticationV1TokenReviewSpec;
  "io.k8s.api.authentication.v1.TokenReviewStatus": AuthenticationV1TokenReviewStatus;
  "io.k8s.api.authentication.v1.UserInfo": AuthenticationV1UserInfo;
  "io.k8s.api.authorization.v1.FieldSelectorAttributes": AuthorizationV1FieldSelectorAttributes;
  "io.k8s.api.authorization.v1.LabelSelectorAttributes": AuthorizationV1LabelSelectorAttributes;
  "io.k8s.api.authorization.v1.LocalSubjectAccessReview": AuthorizationV1LocalSubjectAccessReview;
  "io.k8s.api.authorization.v1.NonResourceAttributes": AuthorizationV1NonResourceAttributes;
  "io.k8s.api.authorization.v1.NonResourceRule": AuthorizationV1NonResourceRule;
  "io.k8s.api.authorization.v1.ResourceAttributes": AuthorizationV1ResourceAttributes;
  "io.k8s.api.authorization.v1.ResourceRule": AuthorizationV1ResourceRule;
  "io.k8s.api.authorization.v1.SelfSubjectAccessReview": AuthorizationV1SelfSubjectAccessReview;
  "io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec": AuthorizationV1SelfSubjectAccessReviewSpec;
  "io.k8s.api.authorization.v1.SelfSubjectRulesReview": AuthorizationV1SelfSubjectRulesReview;
  "io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec": AuthorizationV1SelfSubjectRulesReviewSpec;
  "io.k8s.api.authorization.v1.SubjectAccessReview": AuthorizationV1SubjectAccessReview;
  "io.k8s.api.authorization.v1.SubjectAccessReviewSpec": AuthorizationV1SubjectAccessReviewSpec;
  "io.k8s.api.authorization.v1.SubjectAccessReviewStatus": AuthorizationV1SubjectAccessReviewStatus;
  "io.k8s.api.authorization.v1.SubjectRulesReviewStatus": AuthorizationV1SubjectRulesReviewStatus;
  "io.k8s.api.autoscaling.v1.CrossVersionObjectReference": AutoscalingV1CrossVersionObjectReference;
  "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler": AutoscalingV1HorizontalPodAutoscaler;
  "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerList": AutoscalingV1HorizontalPodAutoscalerList;
  "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec": AutoscalingV1HorizontalPodAutoscalerSpec;
  "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus": AutoscalingV1HorizontalPodAutoscalerStatus;
  "io.k8s.api.autoscaling.v1.Scale": AutoscalingV1Scale;
  "io.k8s.api.autoscaling.v1.ScaleSpec": AutoscalingV1ScaleSpec;
  "io.k8s.api.autoscaling.v1.ScaleStatus": AutoscalingV1ScaleStatus;
  "io.k8s.api.autoscaling.v2.ContainerResourceMetricSource": AutoscalingV2ContainerResourceMetricSource;
  "io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus": AutoscalingV2ContainerResourceMetricStatus;
  "io.k8s.api.autoscaling.v2.CrossVersionObjectReference": AutoscalingV2CrossVersionObjectReference;
  "io.k8s.api.autoscaling.v2.ExternalMetricSource": AutoscalingV2ExternalMetricSource;
  "io.k8s.api.autoscaling.v2.ExternalMetricStatus": AutoscalingV2ExternalMetricStatus;
  "io.k8s.api.autoscaling.v2.HPAScalingPolicy": AutoscalingV2HPAScalingPolicy;
  "io.k8s.api.autoscaling.v2.HPAScalingRules": AutoscalingV2HPAScalingRules;
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler": AutoscalingV2HorizontalPodAutoscaler;
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior": AutoscalingV2HorizontalPodAutoscalerBehavior;
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition": AutoscalingV2HorizontalPodAutoscalerCondition;
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerList": AutoscalingV2HorizontalPodAutoscalerList;
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec": AutoscalingV2HorizontalPodAutoscalerSpec;
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus": AutoscalingV2HorizontalPodAutoscalerStatus;
  "io.k8s.api.autoscaling.v2.MetricIdentifier": AutoscalingV2MetricIdentifier;
  "io.k8s.api.autoscaling.v2.MetricSpec": AutoscalingV2MetricSpec;
  "io.k8s.api.autoscaling.v2.MetricStatus": AutoscalingV2MetricStatus;
  "io.k8s.api.autoscaling.v2.MetricTarget": AutoscalingV2MetricTarget;
  "io.k8s.api.autoscaling.v2.MetricValueStatus": AutoscalingV2MetricValueStatus;
  "io.k8s.api.autoscaling.v2.ObjectMetricSource": AutoscalingV2ObjectMetricSource;
  "io.k8s.api.autoscaling.v2.ObjectMetricStatus": AutoscalingV2ObjectMetricStatus;
  "io.k8s.api.autoscaling.v2.PodsMetricSource": AutoscalingV2PodsMetricSource;
  "io.k8s.api.autoscaling.v2.PodsMetricStatus": AutoscalingV2PodsMetricStatus;
  "io.k8s.api.autoscaling.v2.ResourceMetricSource": AutoscalingV2ResourceMetricSource;
  "io.k8s.api.autoscaling.v2.ResourceMetricStatus": AutoscalingV2ResourceMetricStatus;
  "io.k8s.api.batch.v1.CronJob": BatchV1CronJob;
  "io.k8s.api.batch.v1.CronJobList": BatchV1CronJobList;
  "io.k8s.api.batch.v1.CronJobSpec": BatchV1CronJobSpec;
  "io.k8s.api.batch.v1.CronJobStatus": BatchV1CronJobStatus;
  "io.k8s.api.batch.v1.Job": BatchV1Job;
  "io.k8s.api.batch.v1.JobCondition": BatchV1JobCondition;
  "io.k8s.api.batch.v1.JobList": BatchV1JobList;
  "io.k8s.api.batch.v1.JobSpec": BatchV1JobSpec;
  "io.k8s.api.batch.v1.JobStatus": BatchV1JobStatus;
  "io.k8s.api.batch.v1.JobTemplateSpec": BatchV1JobTemplateSpec;
  "io.k8s.api.batch.v1.PodFailurePolicy": BatchV1PodFailurePolicy;
  "io.k8s.api.batch.v1.PodFailurePolicyOnExitCodesRequirement": BatchV1PodFailurePolicyOnExitCodesRequirement;
  "io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern": BatchV1PodFailurePolicyOnPodConditionsPattern;
  "io.k8s.api.batch.v1.PodFailurePolicyRule": BatchV1PodFailurePolicyRule;
  "io.k8s.api.batch.v1.SuccessPolicy": BatchV1SuccessPolicy;
  "io.k8s.api.batch.v1.SuccessPolicyRule": BatchV1SuccessPolicyRule;
  "io.k8s.api.batch.v1.UncountedTerminatedPods": BatchV1UncountedTerminatedPods;
  "io.k8s.api.certificates.v1.CertificateSigningRequest": CertificatesV1CertificateSigningRequest;
  "io.k8s.api.certificates.v1.CertificateSigningRequestCondition": CertificatesV1CertificateSigningRequestCondition;
  "io.k8s.api.certificates.v1.CertificateSigningRequestList": CertificatesV1CertificateSigningRequestList;
  "io.k8s.api.certificates.v1.CertificateSigningRequestSpec": CertificatesV1CertificateSigningRequestSpec;
  "io.k8s.api.certificates.v1.CertificateSigningRequestStatus": CertificatesV1CertificateSigningRequestStatus;
  "io.k8s.api.coordination.v1.Lease": CoordinationV1Lease;
  "io.k8s.api.coordination.v1.LeaseList": CoordinationV1LeaseList;
  "io.k8s.api.coordination.v1.LeaseSpec": CoordinationV1LeaseSpec;
  "io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource": CoreV1AWSElasticBlockStoreVolumeSource;
  "io.k8s.api.core.v1.Affinity": CoreV1Affinity;
  "io.k8s.api.core.v1.AppArmorProfile": CoreV1AppArmorProfile;
  "io.k8s.api.core.v1.AttachedVolume": CoreV1AttachedVolume;
  "io.k8s.api.core.v1.AzureDiskVolumeSource": CoreV1AzureDiskVolumeSource;
  "io.k8s.api.core.v1.AzureFilePersistentVolumeSource": CoreV1AzureFilePersistentVolumeSource;
  "io.k8s.api.core.v1.AzureFileVolumeSource": CoreV1AzureFileVolumeSource;
  "io.k8s.api.core.v1.Binding": CoreV1Binding;
  "io.k8s.api.core.v1.CSIPersistentVolumeSource": CoreV1CSIPersistentVolumeSource;
  "io.k8s.api.core.v1.CSIVolumeSource": CoreV1CSIVolumeSource;
  "io.k8s.api.core.v1.Capabilities": CoreV1Capabilities;
  "io.k8s.api.core.v1.CephFSPersistentVolumeSource": CoreV1CephFSPersistentVolumeSource;
  "io.k8s.api.core.v1.CephFSVolumeSource": CoreV1CephFSVolumeSource;
  "io.k8s.api.core.v1.CinderPersistentVolumeSource": CoreV1CinderPersistentVolumeSource;
  "io.k8s.api.core.v1.CinderVolumeSource": CoreV1CinderVolumeSource;
  "io.k8s.api.core.v1.ClientIPConfig": CoreV1ClientIPConfig;
  "io.k8s.api.core.v1.ClusterTrustBundleProjection": CoreV1ClusterTrustBundleProjection;
  "io.k8s.api.core.v1.ComponentCondition": CoreV1ComponentCondition;
  "io.k8s.api.core.v1.ComponentStatus": CoreV1ComponentStatus;
  "io.k8s.api.core.v1.ComponentStatusList": CoreV1ComponentStatusList;
  "io.k8s.api.core.v1.ConfigMap": CoreV1ConfigMap;
  "io.k8s.api.core.v1.ConfigMapEnvSource": CoreV1ConfigMapEnvSource;
  "io.k8s.api.core.v1.ConfigMapKeySelector": CoreV1ConfigMapKeySelector;
  "io.k8s.api.core.v1.ConfigMapList": CoreV1ConfigMapList;
  "io.k8s.api.core.v1.ConfigMapNodeConfigSource": CoreV1ConfigMapNodeConfigSource;
  "io.k8s.api.core.v1.ConfigMapProjection": CoreV1ConfigMapProjection;
  "io.k8s.api.core.v1.ConfigMapVolumeSource": CoreV1ConfigMapVolumeSource;
  "io.k8s.api.core.v1.Container": CoreV1Container;
  "io.k8s.api.core.v1.ContainerExtendedResourceRequest": CoreV1ContainerExtendedResourceRequest;
  "io.k8s.api.core.v1.ContainerImage": CoreV1ContainerImage;
  "io.k8s.api.core.v1.ContainerPort": CoreV1ContainerPort;
  "io.k8s.api.core.v1.ContainerResizePolicy": CoreV1ContainerResizePolicy;
  "io.k8s.api.core.v1.ContainerRestartRule": CoreV1ContainerRestartRule;
  "io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes": CoreV1ContainerRestartRuleOnExitCodes;
  "io.k8s.api.core.v1.ContainerState": CoreV1ContainerState;
  "io.k8s.api.core.v1.ContainerStateRunning": CoreV1ContainerStateRunning;
  "io.k8s.api.core.v1.ContainerStateTerminated": CoreV1ContainerStateTerminated;
  "io.k8s.api.core.v1.ContainerStateWaiting": CoreV1ContainerStateWaiting;
  "io.k8s.api.core.v1.ContainerStatus": CoreV1ContainerStatus;
  "io.k8s.api.core.v1.ContainerUser": CoreV1ContainerUser;
  "io.k8s.api.core.v1.DaemonEndpoint": CoreV1DaemonEndpoint;
  "io.k8s.api.core.v1.DownwardAPIProjection": CoreV1DownwardAPIProjection;
  "io.k8s.api.core.v1.DownwardAPIVolumeFile": CoreV1DownwardAPIVolumeFile;
  "io.k8s.api.core.v1.DownwardAPIVolumeSource": CoreV1DownwardAPIVolumeSource;
  "io.k8s.api.core.v1.EmptyDirVolumeSource": CoreV1EmptyDirVolumeSource;
  "io.k8s.api.core.v1.EndpointAddress": CoreV1EndpointAddress;
  "io.k8s.api.core.v1.EndpointPort": CoreV1EndpointPort;
  "io.k8s.api.core.v1.EndpointSubset": CoreV1EndpointSubset;
  "io.k8s.api.core.v1.Endpoints": CoreV1Endpoints;
  "io.k8s.api.core.v1.EndpointsList": CoreV1EndpointsList;
  "io.k8s.api.core.v1.EnvFromSource": CoreV1EnvFromSource;
  "io.k8s.api.core.v1.EnvVar": CoreV1EnvVar;
  "io.k8s.api.core.v1.EnvVarSource": CoreV1EnvVarSource;
  "io.k8s.api.core.v1.EphemeralContainer": CoreV1EphemeralContainer;
  "io.k8s.api.core.v1.EphemeralVolumeSource": CoreV1EphemeralVolumeSource;
  "io.k8s.api.core.v1.Event": CoreV1Event;
  "io.k8s.api.core.v1.EventList": CoreV1EventList;
  "io.k8s.api.core.v1.EventSeries": CoreV1EventSeries;
  "io.k8s.api.core.v1.EventSource": CoreV1EventSource;
  "io.k8s.api.core.v1.ExecAction": CoreV1ExecAction;
  "io.k8s.api.core.v1.FCVolumeSource": CoreV1FCVolumeSource;
  "io.k8s.api.core.v1.FileKeySelector": CoreV1FileKeySelector;
  "io.k8s.api.core.v1.FlexPersistentVolumeSource": CoreV1FlexPersistentVolumeSource;
  "io.k8s.api.core.v1.FlexVolumeSource": CoreV1FlexVolumeSource;
  "io.k8s.api.core.v1.FlockerVolumeSource": CoreV1FlockerVolumeSource;
  "io.k8s.api.core.v1.GCEPersistentDiskVolumeSource": CoreV1GCEPersistentDiskVolumeSource;
  "io.k8s.api.core.v1.GRPCAction": CoreV1GRPCAction;
  "io.k8s.api.core.v1.GitRepoVolumeSource": CoreV1GitRepoVolumeSource;
  "io.k8s.api.core.v1.GlusterfsPersistentVolumeSource": CoreV1GlusterfsPersistentVolumeSource;
  "io.k8s.api.core.v1.GlusterfsVolumeSource": CoreV1GlusterfsVolumeSource;
  "io.k8s.api.core.v1.HTTPGetAction": CoreV1HTTPGetAction;
  "io.k8s.api.core.v1.HTTPHeader": CoreV1HTTPHeader;
  "io.k8s.api.core.v1.HostAlias": CoreV1HostAlias;
  "io.k8s.api.core.v1.HostIP": CoreV1HostIP;
  "io.k8s.api.core.v1.HostPathVolumeSource": CoreV1HostPathVolumeSource;
  "io.k8s.api.core.v1.ISCSIPersistentVolumeSource": CoreV1ISCSIPersistentVolumeSource;
  "io.k8s.api.core.v1.ISCSIVolumeSource": CoreV1ISCSIVolumeSource;
  "io.k8s.api.core.v1.ImageVolumeSource": CoreV1ImageVolumeSource;
  "io.k8s.api.core.v1.KeyToPath": CoreV1KeyToPath;
  "io.k8s.api.core.v1.Lifecycle": CoreV1Lifecycle;
  "io.k8s.api.core.v1.LifecycleHandler": CoreV1LifecycleHandler;
  "io.k8s.api.core.v1.LimitRange": CoreV1LimitRange;
  "io.k8s.api.core.v1.LimitRangeItem": CoreV1LimitRangeItem;
  "io.k8s.api.core.v1.LimitRangeList": CoreV1LimitRangeList;
  "io.k8s.api.core.v1.LimitRangeSpec": CoreV1LimitRangeSpec;
  "io.k8s.api.core.v1.LinuxContainerUser": CoreV1LinuxContainerUser;
  "io.k8s.api.core.v1.LoadBalancerIngress": CoreV1LoadBalancerIngress;
  "io.k8s.api.core.v1.LoadBalancerStatus": CoreV1LoadBalancerStatus;
  "io.k8s.api.core.v1.LocalObjectReference": CoreV1LocalObjectReference;
  "io.k8s.api.core.v1.LocalVolumeSource": CoreV1LocalVolumeSource;
  "io.k8s.api.core.v1.ModifyVolumeStatus": CoreV1ModifyVolumeStatus;
  "io.k8s.api.core.v1.NFSVolumeSource": CoreV1NFSVolumeSource;
  "io.k8s.api.core.v1.Namespace": CoreV1Namespace;
  "io.k8s.api.core.v1.NamespaceCondition": CoreV1NamespaceCondition;
  "io.k8s.api.core.v1.NamespaceList": CoreV1NamespaceList;
  "io.k8s.api.core.v1.NamespaceSpec": CoreV1NamespaceSpec;
  "io.k8s.api.core.v1.NamespaceStatus": CoreV1NamespaceStatus;
  "io.k8s.api.core.v1.Node": CoreV1Node;
  "io.k8s.api.core.v1.NodeAddress": CoreV1NodeAddress;
  "io.k8s.api.core.v1.NodeAffinity": CoreV1NodeAffinity;
  "io.k8s.api.core.v1.NodeCondition": CoreV1NodeCondition;
  "io.k8s.api.core.v1.NodeConfigSource": CoreV1NodeConfigSource;
  "io.k8s.api.core.v1.NodeConfigStatus": CoreV1NodeConfigStatus;
  "io.k8s.api.core.v1.NodeDaemonEndpoints": CoreV1NodeDaemonEndpoints;
  "io.k8s.api.core.v1.NodeFeatures": CoreV1NodeFeatures;
  "io.k8s.api.core.v1.NodeList": CoreV1NodeList;
  "io.k8s.api.core.v1.NodeRuntimeHandler": CoreV1NodeRuntimeHandler;
  "io.k8s.api.core.v1.NodeRuntimeHandlerFeatures": CoreV1NodeRuntimeHandlerFeatures;
  "io.k8s.api.core.v1.NodeSelector": CoreV1NodeSelector;
  "io.k8s.api.core.v1.NodeSelectorRequirement": CoreV1NodeSelectorRequirement;
  "io.k8s.api.core.v1.NodeSelectorTerm": CoreV1NodeSelectorTerm;
  "io.k8s.api.core.v1.NodeSpec": CoreV1NodeSpec;
  "io.k8s.api.core.v1.NodeStatus": CoreV1NodeStatus;
  "io.k8s.api.core.v1.NodeSwapStatus": CoreV1NodeSwapStatus;
  "io.k8s.api.core.v1.NodeSystemInfo": CoreV1NodeSystemInfo;
  "io.k8s.api.core.v1.ObjectFieldSelector": CoreV1ObjectFieldSelector;
  "io.k8s.api.core.v1.ObjectReference": CoreV1ObjectReference;
  "io.k8s.api.core.v1.PersistentVolume": CoreV1PersistentVolume;
  "io.k8s.api.core.v1.PersistentVolumeClaim": CoreV1PersistentVolumeClaim;
  "io.k8s.api.core.v1.PersistentVolumeClaimCondition": CoreV1PersistentVolumeClaimCondition;
  "io.k8s.api.core.v1.PersistentVolumeClaimList": CoreV1PersistentVolumeClaimList;
  "io.k8s.api.core.v1.PersistentVolumeClaimSpec": CoreV1PersistentVolumeClaimSpec;
  "io.k8s.api.core.v1.PersistentVolumeClaimStatus": CoreV1PersistentVolumeClaimStatus;
  "io.k8s.api.core.v1.PersistentVolumeClaimTemplate": CoreV1PersistentVolumeClaimTemplate;
  "io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource": CoreV1PersistentVolumeClaimVolumeSource;
  "io.k8s.api.core.v1.PersistentVolumeList": CoreV1PersistentVolumeList;
  "io.k8s.api.core.v1.PersistentVolumeSpec": CoreV1PersistentVolumeSpec;
  "io.k8s.api.core.v1.PersistentVolumeStatus": CoreV1PersistentVolumeStatus;
  "io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource": CoreV1PhotonPersistentDiskVolumeSource;
  "io.k8s.api.core.v1.Pod": CoreV1Pod;
  "io.k8s.api.core.v1.PodAffinity": CoreV1PodAffinity;
  "io.k8s.api.core.v1.PodAffinityTerm": CoreV1PodAffinityTerm;
  "io.k8s.api.core.v1.PodAntiAffinity": CoreV1PodAntiAffinity;
  "io.k8s.api.core.v1.PodCertificateProjection": CoreV1PodCertificateProjection;
  "io.k8s.api.core.v1.PodCondition": CoreV1PodCondition;
  "io.k8s.api.core.v1.PodDNSConfig": CoreV1PodDNSConfig;
  "io.k8s.api.core.v1.PodDNSConfigOption": CoreV1PodDNSConfigOption;
  "io.k8s.api.core.v1.PodExtendedResourceClaimStatus": CoreV1PodExtendedResourceClaimStatus;
  "io.k8s.api.core.v1.PodIP": CoreV1PodIP;
  "io.k8s.api.core.v1.PodList": CoreV1PodList;
  "io.k8s.api.core.v1.PodOS": CoreV1PodOS;
  "io.k8s.api.core.v1.PodReadinessGate": CoreV1PodReadinessGate;
  "io.k8s.api.core.v1.PodResourceClaim": CoreV1PodResourceClaim;
  "io.k8s.api.core.v1.PodResourceClaimStatus": CoreV1PodResourceClaimStatus;
  "io.k8s.api.core.v1.PodSchedulingGate": CoreV1PodSchedulingGate;
  "io.k8s.api.core.v1.PodSecurityContext": CoreV1PodSecurityContext;
  "io.k8s.api.core.v1.PodSpec": CoreV1PodSpec;
  "io.k8s.api.core.v1.PodStatus": CoreV1PodStatus;
  "io.k8s.api.core.v1.PodTemplate": CoreV1PodTemplate;
  "io.k8s.api.core.v1.PodTemplateList": CoreV1PodTemplateList;
  "io.k8s.api.core.v1.PodTemplateSpec": CoreV1PodTemplateSpec;
  "io.k8s.api.core.v1.PortStatus": CoreV1PortStatus;
  "io.k8s.api.core.v1.PortworxVolumeSource": CoreV1PortworxVolumeSource;
  "io.k8s.api.core.v1.PreferredSchedulingTerm": CoreV1PreferredSchedulingTerm;
  "io.k8s.api.core.v1.Probe": CoreV1Probe;
  "io.k8s.api.core.v1.ProjectedVolumeSource": CoreV1ProjectedVolumeSource;
  "io.k8s.api.core.v1.QuobyteVolumeSource": CoreV1QuobyteVolumeSource;
  "io.k8s.api.core.v1.RBDPersistentVolumeSource": CoreV1RBDPersistentVolumeSource;
  "io.k8s.api.core.v1.RBDVolumeSource": CoreV1RBDVolumeSource;
  "io.k8s.api.core.v1.ReplicationController": CoreV1ReplicationController;
  "io.k8s.api.core.v1.ReplicationControllerCondition": CoreV1ReplicationControllerCondition;
  "io.k8s.api.core.v1.ReplicationControllerList": CoreV1ReplicationControllerList;
  "io.k8s.api.core.v1.ReplicationControllerSpec": CoreV1ReplicationControllerSpec;
  "io.k8s.api.core.v1.ReplicationControllerStatus": CoreV1ReplicationControllerStatus;
  "io.k8s.api.core.v1.ResourceClaim": CoreV1ResourceClaim;
  "io.k8s.api.core.v1.ResourceFieldSelector": CoreV1ResourceFieldSelector;
  "io.k8s.api.core.v1.ResourceHealth": CoreV1ResourceHealth;
  "io.k8s.api.core.v1.ResourceQuota": CoreV1ResourceQuota;
  "io.k8s.api.core.v1.ResourceQuotaList": CoreV1ResourceQuotaList;
  "io.k8s.api.core.v1.ResourceQuotaSpec": CoreV1ResourceQuotaSpec;
  "io.k8s.api.core.v1.ResourceQuotaStatus": CoreV1ResourceQuotaStatus;
  "io.k8s.api.core.v1.ResourceRequirements": CoreV1ResourceRequirements;
  "io.k8s.api.core.v1.ResourceStatus": CoreV1ResourceStatus;
  "io.k8s.api.core.v1.SELinuxOptions": CoreV1SELinuxOptions;
  "io.k8s.api.core.v1.ScaleIOPersistentVolumeSource": CoreV1ScaleIOPersistentVolumeSource;
  "io.k8s.api.core.v1.ScaleIOVolumeSource": CoreV1ScaleIOVolumeSource;
  "io.k8s.api.core.v1.ScopeSelector": CoreV1ScopeSelector;
  "io.k8s.api.core.v1.ScopedResourceSelectorRequirement": CoreV1ScopedResourceSelectorRequirement;
  "io.k8s.api.core.v1.SeccompProfile": CoreV1SeccompProfile;
  "io.k8s.api.core.v1.Secret": CoreV1Secret;
  "io.k8s.api.core.v1.SecretEnvSource": CoreV1SecretEnvSource;
  "io.k8s.api.core.v1.SecretKeySelector": CoreV1SecretKeySelector;
  "io.k8s.api.core.v1.SecretList": CoreV1SecretList;
  "io.k8s.api.core.v1.SecretProjection": CoreV1SecretProjection;
  "io.k8s.api.core.v1.SecretReference": CoreV1SecretReference;
  "io.k8s.api.core.v1.SecretVolumeSource": CoreV1SecretVolumeSource;
  "io.k8s.api.core.v1.SecurityContext": CoreV1SecurityContext;
  "io.k8s.api.core.v1.Service": CoreV1Service;
  "io.k8s.api.core.v1.ServiceAccount": CoreV1ServiceAccount;
  "io.k8s.api.core.v1.ServiceAccountList": CoreV1ServiceAccountList;
  "io.k8s.api.core.v1.ServiceAccountTokenProjection": CoreV1ServiceAccountTokenProjection;
  "io.k8s.api.core.v1.ServiceList": CoreV1ServiceList;
  "io.k8s.api.core.v1.ServicePort": CoreV1ServicePort;
  "io.k8s.api.core.v1.ServiceSpec": CoreV1ServiceSpec;
  "io.k8s.api.core.v1.ServiceStatus": CoreV1ServiceStatus;
  "io.k8s.api.core.v1.SessionAffinityConfig": CoreV1SessionAffinityConfig;
  "io.k8s.api.core.v1.SleepAction": CoreV1SleepAction;
  "io.k8s.api.core.v1.StorageOSPersistentVolumeSource": CoreV1StorageOSPersistentVolumeSource;
  "io.k8s.api.core.v1.StorageOSVolumeSource": CoreV1StorageOSVolumeSource;
  "io.k8s.api.core.v1.Sysctl": CoreV1Sysctl;
  "io.k8s.api.core.v1.TCPSocketAction": CoreV1TCPSocketAction;
  "io.k8s.api.core.v1.Taint": CoreV1Taint;
  "io.k8s.api.core.v1.Toleration": CoreV1Toleration;
  "io.k8s.api.core.v1.TopologySelectorLabelRequirement": CoreV1TopologySelectorLabelRequirement;
  "io.k8s.api.core.v1.TopologySelectorTerm": CoreV1TopologySelectorTerm;
  "io.k8s.api.core.v1.TopologySpreadConstraint": CoreV1TopologySpreadConstraint;
  "io.k8s.api.core.v1.TypedLocalObjectReference": CoreV1TypedLocalObjectReference;
  "io.k8s.api.core.v1.TypedObjectReference": CoreV1TypedObjectReference;
  "io.k8s.api.core.v1.Volume": CoreV1Volume;
  "io.k8s.api.core.v1.VolumeDevice": CoreV1VolumeDevice;
  "io.k8s.api.core.v1.VolumeMount": CoreV1VolumeMount;
  "io.k8s.api.core.v1.VolumeMountStatus": CoreV1VolumeMountStatus;
  "io.k8s.api.core.v1.VolumeNodeAffinity": CoreV1VolumeNodeAffinity;
  "io.k8s.api.core.v1.VolumeProjection": CoreV1VolumeProjection;
  "io.k8s.api.core.v1.VolumeResourceRequirements": CoreV1VolumeResourceRequirements;
  "io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource": CoreV1VsphereVirtualDiskVolumeSource;
  "io.k8s.api.core.v1.WeightedPodAffinityTerm": CoreV1WeightedPodAffinityTerm;
  "io.k8s.api.core.v1.WindowsSecurityContextOptions": CoreV1WindowsSecurityContextOptions;
  "io.k8s.api.core.v1.WorkloadReference": CoreV1WorkloadReference;
  "io.k8s.api.discovery.v1.Endpoint": DiscoveryV1Endpoint;
  "io.k8s.api.discovery.v1.EndpointConditions": DiscoveryV1EndpointConditions;
  "io.k8s.api.discovery.v1.EndpointHints": DiscoveryV1EndpointHints;
  "io.k8s.api.discovery.v1.EndpointPort": DiscoveryV1EndpointPort;
  "io.k8s.api.discovery.v1.EndpointSlice": DiscoveryV1EndpointSlice;
  "io.k8s.api.discovery.v1.EndpointSliceList": DiscoveryV1EndpointSliceList;
  "io.k8s.api.discovery.v1.ForNode": DiscoveryV1ForNode;
  "io.k8s.api.discovery.v1.ForZone": DiscoveryV1ForZone;
  "io.k8s.api.events.v1.Event": EventsV1Event;
  "io.k8s.api.events.v1.EventList": EventsV1EventList;
  "io.k8s.api.events.v1.EventSeries": EventsV1EventSeries;
  "io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration": FlowcontrolV1ExemptPriorityLevelConfiguration;
  "io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod": FlowcontrolV1FlowDistinguisherMethod;
  "io.k8s.api.flowcontrol.v1.FlowSchema": FlowcontrolV1FlowSchema;
  "io.k8s.api.flowcontrol.v1.FlowSchemaCondition": FlowcontrolV1FlowSchemaCondition;
  "io.k8s.api.flowcontrol.v1.FlowSchemaList": FlowcontrolV1FlowSchemaList;
  "io.k8s.api.flowcontrol.v1.FlowSchemaSpec": FlowcontrolV1FlowSchemaSpec;
  "io.k8s.api.flowcontrol.v1.FlowSchemaStatus": FlowcontrolV1FlowSchemaStatus;
  "io.k8s.api.flowcontrol.v1.GroupSubject": FlowcontrolV1GroupSubject;
  "io.k8s.api.flowcontrol.v1.LimitResponse": FlowcontrolV1LimitResponse;
  "io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration": FlowcontrolV1LimitedPriorityLevelConfiguration;
  "io.k8s.api.flowcontrol.v1.NonResourcePolicyRule": FlowcontrolV1NonResourcePolicyRule;
  "io.k8s.api.flowcontrol.v1.PolicyRulesWithSubjects": FlowcontrolV1PolicyRulesWithSubjects;
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration": FlowcontrolV1PriorityLevelConfiguration;
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition": FlowcontrolV1PriorityLevelConfigurationCondition;
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationList": FlowcontrolV1PriorityLevelConfigurationList;
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationReference": FlowcontrolV1PriorityLevelConfigurationReference;
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec": FlowcontrolV1PriorityLevelConfigurationSpec;
  "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus": FlowcontrolV1PriorityLevelConfigurationStatus;
  "io.k8s.api.flowcontrol.v1.QueuingConfiguration": FlowcontrolV1QueuingConfiguration;
  "io.k8s.api.flowcontrol.v1.ResourcePolicyRule": FlowcontrolV1ResourcePolicyRule;
  "io.k8s.api.flowcontrol.v1.ServiceAccountSubject": FlowcontrolV1ServiceAccountSubject;
  "io.k8s.api.flowcontrol.v1.Subject": FlowcontrolV1Subject;
  "io.k8s.api.flowcontrol.v1.UserSubject": FlowcontrolV1UserSubject;
  "io.k8s.api.networking.v1.HTTPIngressPath": NetworkingV1HTTPIngressPath;
  "io.k8s.api.networking.v1.HTTPIngressRuleValue": NetworkingV1HTTPIngressRuleValue;
  "io.k8s.api.networking.v1.IPAddress": NetworkingV1IPAddress;
  "io.k8s.api.networking.v1.IPAddressList": NetworkingV1IPAddressList;
  "io.k8s.api.networking.v1.IPAddressSpec": NetworkingV1IPAddressSpec;
  "io.k8s.api.networking.v1.IPBlock": NetworkingV1IPBlock;
  "io.k8s.api.networking.v1.Ingress": NetworkingV1Ingress;
  "io.k8s.api.networking.v1.IngressBackend": NetworkingV1IngressBackend;
  "io.k8s.api.networking.v1.IngressClass": NetworkingV1IngressClass;
  "io.k8s.api.networking.v1.IngressClassList": NetworkingV1IngressClassList;
  "io.k8s.api.networking.v1.IngressClassParametersReference": NetworkingV1IngressClassParametersReference;
  "io.k8s.api.networking.v1.IngressClassSpec": NetworkingV1IngressClassSpec;
  "io.k8s.api.networking.v1.IngressList": NetworkingV1IngressList;
  "io.k8s.api.networking.v1.IngressLoadBalancerIngress": NetworkingV1IngressLoadBalancerIngress;
  "io.k8s.api.networking.v1.IngressLoadBalancerStatus": NetworkingV1IngressLoadBalancerStatus;
  "io.k8s.api.networking.v1.IngressPortStatus": NetworkingV1IngressPortStatus;
  "io.k8s.api.networking.v1.IngressRule": NetworkingV1IngressRule;
  "io.k8s.api.networking.v1.IngressServiceBackend": NetworkingV1IngressServiceBackend;
  "io.k8s.api.networking.v1.IngressSpec": NetworkingV1IngressSpec;
  "io.k8s.api.networking.v1.IngressStatus": NetworkingV1IngressStatus;
  "io.k8s.api.networking.v1.IngressTLS": NetworkingV1IngressTLS;
  "io.k8s.api.networking.v1.NetworkPolicy": NetworkingV1NetworkPolicy;
  "io.k8s.api.networking.v1.NetworkPolicyEgressRule": NetworkingV1NetworkPolicyEgressRule;
  "io.k8s.api.networking.v1.NetworkPolicyIngressRule": NetworkingV1NetworkPolicyIngressRule;
  "io.k8s.api.networking.v1.NetworkPolicyList": NetworkingV1NetworkPolicyList;
  "io.k8s.api.networking.v1.NetworkPolicyPeer": NetworkingV1NetworkPolicyPeer;
  "io.k8s.api.networking.v1.NetworkPolicyPort": NetworkingV1NetworkPolicyPort;
  "io.k8s.api.networking.v1.NetworkPolicySpec": NetworkingV1NetworkPolicySpec;
  "io.k8s.api.networking.v1.ParentReference": NetworkingV1ParentReference;
  "io.k8s.api.networking.v1.ServiceBackendPort": NetworkingV1ServiceBackendPort;
  "io.k8s.api.networking.v1.ServiceCIDR": NetworkingV1ServiceCIDR;
  "io.k8s.api.networking.v1.ServiceCIDRList": NetworkingV1ServiceCIDRList;
  "io.k8s.api.networking.v1.ServiceCIDRSpec": NetworkingV1ServiceCIDRSpec;
  "io.k8s.api.networking.v1.ServiceCIDRStatus": NetworkingV1ServiceCIDRStatus;
  "io.k8s.api.node.v1.Overhead": NodeV1Overhead;
  "io.k8s.api.node.v1.RuntimeClass": NodeV1RuntimeClass;
  "io.k8s.api.node.v1.RuntimeClassList": NodeV1RuntimeClassList;
  "io.k8s.api.node.v1.Scheduling": NodeV1Scheduling;
  "io.k8s.api.policy.v1.Eviction": PolicyV1Eviction;
  "io.k8s.api.policy.v1.PodDisruptionBudget": PolicyV1PodDisruptionBudget;
  "io.k8s.api.policy.v1.PodDisruptionBudgetList": PolicyV1PodDisruptionBudgetList;
  "io.k8s.api.policy.v1.PodDisruptionBudgetSpec": PolicyV1PodDisruptionBudgetSpec;
  "io.k8s.api.policy.v1.PodDisruptionBudgetStatus": PolicyV1PodDisruptionBudgetStatus;
  "io.k8s.api.rbac.v1.AggregationRule": RbacV1AggregationRule;
  "io.k8s.api.rbac.v1.ClusterRole": RbacV1ClusterRole;
  "io.k8s.api.rbac.v1.ClusterRoleBinding": RbacV1ClusterRoleBinding;
  "io.k8s.api.rbac.v1.ClusterRoleBindingList": RbacV1ClusterRoleBindingList;
  "io.k8s.api.rbac.v1.ClusterRoleList": RbacV1ClusterRoleList;
  "io.k8s.api.rbac.v1.PolicyRule": RbacV1PolicyRule;
  "io.k8s.api.rbac.v1.Role": RbacV1Role;
  "io.k8s.api.rbac.v1.RoleBinding": RbacV1RoleBinding;
  "io.k8s.api.rbac.v1.RoleBindingList": RbacV1RoleBindingList;
  "io.k8s.api.rbac.v1.RoleList": RbacV1RoleList;
  "io.k8s.api.rbac.v1.RoleRef": RbacV1RoleRef;
  "io.k8s.api.rbac.v1.Subject": RbacV1Subject;
  "io.k8s.api.resource.v1.AllocatedDeviceStatus": ResourceV1AllocatedDeviceStatus;
  "io.k8s.api.resource.v1.AllocationResult": ResourceV1AllocationResult;
  "io.k8s.api.resource.v1.CELDeviceSelector": ResourceV1CELDeviceSelector;
  "io.k8s.api.resource.v1.CapacityRequestPolicy": ResourceV1CapacityRequestPolicy;
  "io.k8s.api.resource.v1.CapacityRequestPolicyRange": ResourceV1CapacityRequestPolicyRange;
  "io.k8s.api.resource.v1.CapacityRequirements": ResourceV1CapacityRequirements;
  "io.k8s.api.resource.v1.Counter": ResourceV1Counter;
  "io.k8s.api.resource.v1.CounterSet": ResourceV1CounterSet;
  "io.k8s.api.resource.v1.Device": ResourceV1Device;
  "io.k8s.api.resource.v1.DeviceAllocationConfiguration": ResourceV1DeviceAllocationConfiguration;
  "io.k8s.api.resource.v1.DeviceAllocationResult": ResourceV1DeviceAllocationResult;
  "io.k8s.api.resource.v1.DeviceAttribute": ResourceV1DeviceAttribute;
  "io.k8s.api.resource.v1.DeviceCapacity": ResourceV1DeviceCapacity;
  "io.k8s.api.resource.v1.DeviceClaim": ResourceV1DeviceClaim;
  "io.k8s.api.resource.v1.DeviceClaimConfiguration": ResourceV1DeviceClaimConfiguration;
  "io.k8s.api.resource.v1.DeviceClass": ResourceV1DeviceClass;
  "io.k8s.api.resource.v1.DeviceClassConfiguration": ResourceV1DeviceClassConfiguration;
  "io.k8s.api.resource.v1.DeviceClassList": ResourceV1DeviceClassList;
  "io.k8s.api.resource.v1.DeviceClassSpec": ResourceV1DeviceClassSpec;
  "io.k8s.api.resource.v1.DeviceConstraint": ResourceV1DeviceConstraint;
  "io.k8s.api.resource.v1.DeviceCounterConsumption": ResourceV1DeviceCounterConsumption;
  "io.k8s.api.resource.v1.DeviceRequest": ResourceV1DeviceRequest;
  "io.k8s.api.resource.v1.DeviceRequestAllocationResult": ResourceV1DeviceRequestAllocationResult;
  "io.k8s.api.resource.v1.DeviceSelector": ResourceV1DeviceSelector;
  "io.k8s.api.resource.v1.DeviceSubRequest": ResourceV1DeviceSubRequest;
  "io.k8s.api.resource.v1.DeviceTaint": ResourceV1DeviceTaint;
  "io.k8s.api.resource.v1.DeviceToleration": ResourceV1DeviceToleration;
  "io.k8s.api.resource.v1.ExactDeviceRequest": ResourceV1ExactDeviceRequest;
  "io.k8s.api.resource.v1.NetworkDeviceData": ResourceV1NetworkDeviceData;
  "io.k8s.api.resource.v1.OpaqueDeviceConfiguration": ResourceV1OpaqueDeviceConfiguration;
  "io.k8s.api.resource.v1.ResourceClaim": ResourceV1ResourceClaim;
  "io.k8s.api.resource.v1.ResourceClaimConsumerReference": ResourceV1ResourceClaimConsumerReference;
  "io.k8s.api.resource.v1.ResourceClaimList": ResourceV1ResourceClaimList;
  "io.k8s.api.resource.v1.ResourceClaimSpec": ResourceV1ResourceClaimSpec;
  "io.k8s.api.resource.v1.ResourceClaimStatus": ResourceV1ResourceClaimStatus;
  "io.k8s.api.resource.v1.ResourceClaimTemplate": ResourceV1ResourceClaimTemplate;
  "io.k8s.api.resource.v1.ResourceClaimTemplateList": ResourceV1ResourceClaimTemplateList;
  "io.k8s.api.resource.v1.ResourceClaimTemplateSpec": ResourceV1ResourceClaimTemplateSpec;
  "io.k8s.api.resource.v1.ResourcePool": ResourceV1ResourcePool;
  "io.k8s.api.resource.v1.ResourceSlice": ResourceV1ResourceSlice;
  "io.k8s.api.resource.v1.ResourceSliceList": ResourceV1ResourceSliceList;
  "io.k8s.api.resource.v1.ResourceSliceSpec": ResourceV1ResourceSliceSpec;
  "io.k8s.api.scheduling.v1.PriorityClass": SchedulingV1PriorityClass;
  "io.k8s.api.scheduling.v1.PriorityClassList": SchedulingV1PriorityClassList;
  "io.k8s.api.storage.v1.CSIDriver": StorageV1CSIDriver;
  "io.k8s.api.storage.v1.CSIDriverList": StorageV1CSIDriverList;
  "io.k8s.api.storage.v1.CSIDriverSpec": StorageV1CSIDriverSpec;
  "io.k8s.api.storage.v1.CSINode": StorageV1CSINode;
  "io.k8s.api.storage.v1.CSINodeDriver": StorageV1CSINodeDriver;
  "io.k8s.api.storage.v1.CSINodeList": StorageV1CSINodeList;
  "io.k8s.api.storage.v1.CSINodeSpec": StorageV1CSINodeSpec;
  "io.k8s.api.storage.v1.CSIStorageCapacity": StorageV1CSIStorageCapacity;
  "io.k8s.api.storage.v1.CSIStorageCapacityList": StorageV1CSIStorageCapacityList;
  "io.k8s.api.storage.v1.StorageClass": StorageV1StorageClass;
  "io.k8s.api.storage.v1.StorageClassList": StorageV1StorageClassList;
  "io.k8s.api.storage.v1.TokenRequest": StorageV1TokenRequest;
  "io.k8s.api.storage.v1.VolumeAttachment": StorageV1VolumeAttachment;
  "io.k8s.api.storage.v1.VolumeAttachmentList": StorageV1VolumeAttachmentList;
  "io.k8s.api.storage.v1.VolumeAttachmentSource": StorageV1VolumeAttachmentSource;
  "io.k8s.api.storage.v1.VolumeAttachmentSpec": StorageV1VolumeAttachmentSpec;
  "io.k8s.api.storage.v1.VolumeAttachmentStatus": StorageV1VolumeAttachmentStatus;
  "io.k8s.api.storage.v1.VolumeAttributesClass": StorageV1VolumeAttributesClass;
  "io.k8s.api.storage.v1.VolumeAttributesClassList": StorageV1VolumeAttributesClassList;
  "io.k8s.api.storage.v1.VolumeError": StorageV1VolumeError;
  "io.k8s.api.storage.v1.VolumeNodeResources": StorageV1VolumeNodeResources;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition": ApiextensionsV1CustomResourceColumnDefinition;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion": ApiextensionsV1CustomResourceConversion;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition": ApiextensionsV1CustomResourceDefinition;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition": ApiextensionsV1CustomResourceDefinitionCondition;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionList": ApiextensionsV1CustomResourceDefinitionList;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames": ApiextensionsV1CustomResourceDefinitionNames;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec": ApiextensionsV1CustomResourceDefinitionSpec;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus": ApiextensionsV1CustomResourceDefinitionStatus;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion": ApiextensionsV1CustomResourceDefinitionVersion;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale": ApiextensionsV1CustomResourceSubresourceScale;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus": ApiextensionsV1CustomResourceSubresourceStatus;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources": ApiextensionsV1CustomResourceSubresources;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation": ApiextensionsV1CustomResourceValidation;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation": ApiextensionsV1ExternalDocumentation;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": ApiextensionsV1JSON;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps": ApiextensionsV1JSONSchemaProps;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": ApiextensionsV1JSONSchemaPropsOrArray;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": ApiextensionsV1JSONSchemaPropsOrBool;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": ApiextensionsV1JSONSchemaPropsOrStringArray;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField": ApiextensionsV1SelectableField;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference": ApiextensionsV1ServiceReference;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule": ApiextensionsV1ValidationRule;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig": ApiextensionsV1WebhookClientConfig;
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion": ApiextensionsV1WebhookConversion;
  "io.k8s.apimachinery.pkg.api.resource.Quantity": ResourceQuantity;
  "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroup": MetaV1APIGroup;
  "io.k8s.apimachinery.pkg.apis.meta.v1.APIGroupList": MetaV1APIGroupList;
  "io.k8s.apimachinery.pkg.apis.meta.v1.APIResource": MetaV1APIResource;
  "io.k8s.apimachinery.pkg.apis.meta.v1.APIResourceList": MetaV1APIResourceList;
  "io.k8s.apimachinery.pkg.apis.meta.v1.APIVersions": MetaV1APIVersions;
  "io.k8s.apimachinery.pkg.apis.meta.v1.Condition": MetaV1Condition;
  "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions": MetaV1DeleteOptions;
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement": MetaV1FieldSelectorRequirement;
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": MetaV1FieldsV1;
  "io.k8s.apimachinery.pkg.apis.meta.v1.GroupResource": MetaV1GroupResource;
  "io.k8s.apimachinery.pkg.apis.meta.v1.GroupVersionForDiscovery": MetaV1GroupVersionForDiscovery;
  "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector": MetaV1LabelSelector;
  "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement": MetaV1LabelSelectorRequirement;
  "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta": MetaV1ListMeta;
  "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry": MetaV1ManagedFieldsEntry;
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": MetaV1MicroTime;
  "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": MetaV1ObjectMeta;
  "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference": MetaV1OwnerReference;
  "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": MetaV1Patch;
  "io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions": MetaV1Preconditions;
  "io.k8s.apimachinery.pkg.apis.meta.v1.ServerAddressByClientCIDR": MetaV1ServerAddressByClientCIDR;
  "io.k8s.apimachinery.pkg.apis.meta.v1.Status": MetaV1Status;
  "io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause": MetaV1StatusCause;
  "io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails": MetaV1StatusDetails;
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": MetaV1Time;
  "io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent": MetaV1WatchEvent;
  "io.k8s.apimachinery.pkg.runtime.RawExtension": RuntimeRawExtension;
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": IntstrIntOrString;
  "io.k8s.apimachinery.pkg.version.Info": VersionInfo;
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService": ApiregistrationV1APIService;
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition": ApiregistrationV1APIServiceCondition;
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceList": ApiregistrationV1APIServiceList;
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec": ApiregistrationV1APIServiceSpec;
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus": ApiregistrationV1APIServiceStatus;
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": ApiregistrationV1ServiceReference;
};
