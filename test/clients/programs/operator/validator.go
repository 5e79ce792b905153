package main

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

const (
	many = 2
	most = 4
)

type validator struct{}

func (validator) ValidateCreate(_ context.Context, site *Site) (admission.Warnings, error) {
	if site.Spec.Replicas > most {
		return nil, fmt.Errorf("a site has at most %d replicas", most)
	}
	if site.Spec.Replicas > many {
		return admission.Warnings{fmt.Sprintf("%d replicas are many", site.Spec.Replicas)}, nil
	}
	return nil, nil
}

func (v validator) ValidateUpdate(ctx context.Context, _, site *Site) (admission.Warnings, error) {
	return v.ValidateCreate(ctx, site)
}

func (validator) ValidateDelete(context.Context, *Site) (admission.Warnings, error) { return nil, nil }
