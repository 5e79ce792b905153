// An operator as they are written today: a custom resource with a status and a finalizer, what it owns made by
// server-side apply and by update, events, an index, a webhook that it serves itself, and one leader of several.
package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/cert"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

const (
	name      = "site-operator"
	namespace = "operators"
)

func main() {
	ctrl.SetLogger(zap.New())
	if err := run(ctrl.SetupSignalHandler()); err != nil {
		ctrl.Log.Error(err, "the operator ends")
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	scheme := clientgoscheme.Scheme
	if err := builder.AddToScheme(scheme); err != nil {
		return err
	}
	config := ctrl.GetConfigOrDie()
	direct, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	certificates, err := prepareWebhook(ctx, direct)
	if err != nil {
		return err
	}
	lease, renew, retry := 10*time.Second, 8*time.Second, 500*time.Millisecond
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                  scheme,
		LeaderElection:          true,
		LeaderElectionID:        name,
		LeaderElectionNamespace: namespace,
		LeaseDuration:           &lease,
		RenewDeadline:           &renew,
		RetryPeriod:             &retry,
		Metrics:                 server.Options{BindAddress: "0"},
		HealthProbeBindAddress:  ":8081",
		WebhookServer:           webhook.NewServer(webhook.Options{CertDir: certificates}),
	})
	if err != nil {
		return err
	}
	if err := manager.AddReadyzCheck("webhook", manager.GetWebhookServer().StartedChecker()); err != nil {
		return err
	}
	if err := manager.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := ctrl.NewWebhookManagedBy(manager, &Site{}).WithValidator(validator{}).Complete(); err != nil {
		return err
	}
	if err := addReconciler(ctx, manager); err != nil {
		return err
	}
	return manager.Start(ctx)
}

// prepareWebhook gives every replica the same certificate, which the API server is told to trust; where it lies.
func prepareWebhook(ctx context.Context, direct client.Client) (string, error) {
	certificate, key, err := cert.GenerateSelfSignedCertKey(name+"."+namespace+".svc", nil, nil)
	if err != nil {
		return "", err
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: key},
	}
	err = direct.Create(ctx, secret)
	if apierrors.IsAlreadyExists(err) {
		err = direct.Get(ctx, client.ObjectKeyFromObject(secret), secret)
	}
	if err != nil {
		return "", err
	}
	var hooks admissionv1.ValidatingWebhookConfiguration
	if err := direct.Get(ctx, client.ObjectKey{Name: name}, &hooks); err != nil {
		return "", err
	}
	before := client.MergeFrom(hooks.DeepCopy())
	hooks.Webhooks[0].ClientConfig.CABundle = secret.Data[corev1.TLSCertKey]
	if err := direct.Patch(ctx, &hooks, before); err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp("", "certificates")
	if err != nil {
		return "", err
	}
	for file, content := range secret.Data {
		if err := os.WriteFile(filepath.Join(folder, file), content, 0o600); err != nil {
			return "", err
		}
	}
	return folder, nil
}
