package main

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const (
	finalizer = "example.com/ledger"
	pageIndex = "spec.page"
	// What the finalizer is for: a note of every site that there was.
	ledger = "ledger"
)

type reconciler struct {
	client.Client
	events events.EventRecorder
}

func addReconciler(ctx context.Context, manager ctrl.Manager) error {
	page := func(object client.Object) []string { return []string{object.(*Site).Spec.Page} }
	if err := manager.GetFieldIndexer().IndexField(ctx, &Site{}, pageIndex, page); err != nil {
		return err
	}
	r := &reconciler{Client: manager.GetClient(), events: manager.GetEventRecorder(name)}
	return ctrl.NewControllerManagedBy(manager).
		For(&Site{}).Owns(&appsv1.Deployment{}).Owns(&corev1.ConfigMap{}).Complete(r)
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var site Site
	if err := r.Get(ctx, request.NamespacedName, &site); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !site.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, client.IgnoreNotFound(r.finalize(ctx, &site)) // the cache may not know yet that it is gone
	}
	if controllerutil.AddFinalizer(&site, finalizer) {
		return ctrl.Result{}, r.Update(ctx, &site)
	}
	if err := r.applyPage(ctx, &site); err != nil {
		return ctrl.Result{}, err
	}
	deployment, err := r.deploy(ctx, &site)
	if err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, client.IgnoreNotFound(r.tell(ctx, &site, deployment))
}

func (r *reconciler) applyPage(ctx context.Context, site *Site) error {
	owner := metav1ac.OwnerReference().WithAPIVersion(groupVersion.String()).WithKind("Site").
		WithName(site.Name).WithUID(site.UID).WithController(true).WithBlockOwnerDeletion(true)
	page := corev1ac.ConfigMap(site.Name, site.Namespace).WithOwnerReferences(owner).
		WithData(map[string]string{"index.html": site.Spec.Page})
	return r.Apply(ctx, page, client.FieldOwner(name), client.ForceOwnership)
}

func (r *reconciler) deploy(ctx context.Context, site *Site) (*appsv1.Deployment, error) {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: site.Name, Namespace: site.Namespace}}
	done, err := controllerutil.CreateOrUpdate(ctx, r.Client, deployment, func() error {
		labels := map[string]string{"site": site.Name}
		deployment.Spec.Replicas = &site.Spec.Replicas
		deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		deployment.Spec.Template.Labels = labels
		pod := &deployment.Spec.Template.Spec
		if len(pod.Containers) == 0 {
			pod.Containers = []corev1.Container{{Name: "server"}}
		}
		pod.TerminationGracePeriodSeconds = new(int64) // its server minds no signal
		pod.Containers[0].Image = "busybox:test"
		pod.Containers[0].Command = []string{"httpd", "-f", "-p", "8080", "-h", "/www"}
		pod.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "page", MountPath: "/www"}}
		if len(pod.Volumes) == 0 {
			pod.Volumes = []corev1.Volume{{Name: "page", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}}}
		}
		pod.Volumes[0].ConfigMap.Name = site.Name
		return controllerutil.SetControllerReference(site, deployment, r.Scheme())
	})
	if err == nil && done != controllerutil.OperationResultNone {
		r.events.Eventf(site, deployment, corev1.EventTypeNormal, "Deployed", "Deploy", "Deployment %s was %s", site.Name, done)
	}
	return deployment, err
}

func (r *reconciler) tell(ctx context.Context, site *Site, deployment *appsv1.Deployment) error {
	var same SiteList
	if err := r.List(ctx, &same, client.InNamespace(site.Namespace), client.MatchingFields{pageIndex: site.Spec.Page}); err != nil {
		return err
	}
	before := client.MergeFromWithOptions(site.deepCopy(), client.MergeFromWithOptimisticLock{})
	status, reason := metav1.ConditionFalse, "Waiting"
	if deployment.Status.ObservedGeneration == deployment.Generation && deployment.Status.AvailableReplicas == site.Spec.Replicas {
		status, reason = metav1.ConditionTrue, "AllAvailable"
	}
	unique := metav1.ConditionTrue
	if len(same.Items) > 1 {
		unique = metav1.ConditionFalse
	}
	meta.SetStatusCondition(&site.Status.Conditions, metav1.Condition{
		Type: "Ready", Status: status, Reason: reason, ObservedGeneration: site.Generation})
	meta.SetStatusCondition(&site.Status.Conditions, metav1.Condition{Type: "Unique", Status: unique, Reason: "Counted"})
	site.Status.Replicas = deployment.Status.AvailableReplicas
	return r.Status().Patch(ctx, site, before)
}

func (r *reconciler) finalize(ctx context.Context, site *Site) error {
	note := corev1ac.ConfigMap(ledger, namespace).WithData(map[string]string{site.Name: site.Spec.Page})
	// Each site is an owner of its own: what one applies is no other's.
	if err := r.Apply(ctx, note, client.FieldOwner(name+"-"+site.Name), client.ForceOwnership); err != nil {
		return err
	}
	if controllerutil.RemoveFinalizer(site, finalizer) {
		return r.Update(ctx, site)
	}
	return nil
}
