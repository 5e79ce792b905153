package main

import (
	"context"
	"fmt"
	"math/rand"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
)

const (
	lines          = 4
	namesEach      = 12
	requestTimeout = 10 * time.Second
	pause          = 10 * time.Millisecond
)

type writers struct {
	acknowledged, failures counter
	group                  sync.WaitGroup
}

func (w *writers) wait() { w.group.Wait() }

// startWriters starts some that create, change and delete objects of their own, one after another.
func startWriters(ctx context.Context, client kubernetes.Interface, name string, f *faults) *writers {
	w := &writers{}
	for n := range lines {
		line := &line{client: client.CoreV1().ConfigMaps(namespace), writers: w, faults: f,
			prefix: fmt.Sprintf("%s-%d", name, n), known: map[string]string{}, random: rand.New(rand.NewSource(int64(n)))}
		w.group.Go(func() {
			for ctx.Err() == nil {
				line.step()
				time.Sleep(pause)
			}
		})
	}
	return w
}

// line knows of each of its objects what the last answer said of it: its identity, or "" when there is none.
type line struct {
	*writers
	client typed.ConfigMapInterface
	faults *faults
	prefix string
	known  map[string]string
	random *rand.Rand
	value  int
}

func (l *line) step() {
	name := fmt.Sprintf("%s-%d", l.prefix, l.random.Intn(namesEach))
	// A write that was begun is waited for, whatever ends meanwhile: what came of it must be known.
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	found, err := l.client.Get(ctx, name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		l.failures.Add(1)
		return
	}
	is := ""
	if err == nil {
		is = identity(found)
	}
	if was, certain := l.known[name]; certain && was != is {
		l.faults.add("%s was answered as %q and is %q: an acknowledged write is lost", name, was, is)
	}
	delete(l.known, name) // until the answer is there, either may be
	now, err := l.write(ctx, name, found, is != "")
	if err != nil {
		l.failures.Add(1)
		return
	}
	l.acknowledged.Add(1)
	l.known[name] = now
}

func (l *line) write(ctx context.Context, name string, found *corev1.ConfigMap, exists bool) (string, error) {
	l.value++
	value := strconv.Itoa(l.value)
	if !exists {
		labels := map[string]string{"written": "here"}
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Data: map[string]string{"value": value}}
		return identified(l.client.Create(ctx, object, metav1.CreateOptions{}))
	}
	switch l.random.Intn(4) {
	case 0:
		return "", l.client.Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &found.UID}})
	case 1:
		patch := fmt.Sprintf(`{"data":{"value":%q}}`, value)
		return identified(l.client.Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}))
	default:
		found.Data = map[string]string{"value": value}
		return identified(l.client.Update(ctx, found, metav1.UpdateOptions{}))
	}
}

func identified(object *corev1.ConfigMap, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return identity(object), nil
}
