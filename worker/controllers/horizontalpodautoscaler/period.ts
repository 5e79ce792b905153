/** How often autoscalers look: kube-controller-manager's default, in ms. */
export const PERIOD_MS = 15_000;
