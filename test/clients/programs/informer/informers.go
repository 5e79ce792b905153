package main

import (
	"context"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

// informer is one of client-go's, and what its handler was told, which must make sense by itself.
type informer struct {
	cache.SharedIndexInformer
	name   string
	events counter
	faults *faults

	mutex sync.Mutex
	known map[string]string // name → uid@resourceVersion
	gone  map[string]bool   // uids
}

// startAll starts an informer of every make: typed in JSON and in protobuf, dynamic, and of metadata alone.
func startAll(ctx context.Context, config *rest.Config, f *faults, a *answers) ([]*informer, error) {
	wanted := func(options *metav1.ListOptions) { options.LabelSelector = selector }
	all := []*informer{}
	start := func(name string, shared cache.SharedIndexInformer) error {
		one := &informer{SharedIndexInformer: shared, name: name, faults: f, known: map[string]string{}, gone: map[string]bool{}}
		if _, err := shared.AddEventHandler(one); err != nil {
			return err
		}
		go shared.RunWithContext(ctx)
		all = append(all, one)
		return nil
	}
	for name, mediaType := range map[string]string{"JSON": "application/json", "protobuf": protobufType} {
		typed := rest.CopyConfig(config)
		// The one and nothing else: a server may choose among several.
		typed.ContentType, typed.AcceptContentTypes = mediaType, mediaType
		typed.Wrap(a.count(name))
		client := kubernetes.NewForConfigOrDie(typed)
		factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
			informers.WithNamespace(namespace), informers.WithTweakListOptions(wanted))
		if err := start(name, factory.Core().V1().ConfigMaps().Informer()); err != nil {
			return nil, err
		}
	}
	untyped := rest.CopyConfig(config)
	untyped.Wrap(a.count("dynamic"))
	dynamicFactory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(
		dynamic.NewForConfigOrDie(untyped), 0, namespace, wanted)
	if err := start("dynamic", dynamicFactory.ForResource(configMaps).Informer()); err != nil {
		return nil, err
	}
	partial := rest.CopyConfig(config)
	partial.Wrap(a.count("metadata"))
	metadataFactory := metadatainformer.NewFilteredSharedInformerFactory(
		metadata.NewForConfigOrDie(partial), 0, namespace, wanted)
	return all, start("metadata", metadataFactory.ForResource(configMaps).Informer())
}

func (i *informer) state() map[string]string {
	held := map[string]string{}
	for _, object := range i.GetStore().List() {
		held[object.(metav1.Object).GetName()] = identity(object.(metav1.Object))
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if !maps.Equal(held, i.known) {
		held["handler"] = "is behind its cache"
	}
	return held
}

func (i *informer) OnAdd(object any, _ bool) {
	added := object.(metav1.Object)
	i.told(func() {
		if known, found := i.known[added.GetName()]; found {
			i.faults.add("%s: %s is added as %s and was known as %s", i.name, added.GetName(), identity(added), known)
		}
		if i.gone[string(added.GetUID())] {
			i.faults.add("%s: %s is back after it was deleted: %s", i.name, added.GetName(), identity(added))
		}
		i.known[added.GetName()] = identity(added)
	})
}

// An object that was replaced while nobody watched is told as an update.
func (i *informer) OnUpdate(before, after any) {
	old, now := before.(metav1.Object), after.(metav1.Object)
	i.told(func() {
		if i.known[old.GetName()] != identity(old) {
			i.faults.add("%s: %s changes from %s, which was never told", i.name, old.GetName(), identity(old))
		}
		if revision(now) < revision(old) {
			i.faults.add("%s: %s goes back from %s to %s", i.name, old.GetName(), identity(old), identity(now))
		}
		if old.GetUID() != now.GetUID() {
			i.gone[string(old.GetUID())] = true
		}
		i.known[now.GetName()] = identity(now)
	})
}

func (i *informer) OnDelete(object any) {
	if unseen, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = unseen.Obj
	}
	deleted := object.(metav1.Object)
	i.told(func() {
		if _, found := i.known[deleted.GetName()]; !found {
			i.faults.add("%s: %s is deleted and was not known", i.name, deleted.GetName())
		}
		i.gone[string(deleted.GetUID())] = true
		delete(i.known, deleted.GetName())
	})
}

func (i *informer) told(body func()) {
	i.events.Add(1)
	i.mutex.Lock()
	defer i.mutex.Unlock()
	body()
}

func revision(object metav1.Object) int64 {
	number, err := strconv.ParseInt(object.GetResourceVersion(), 10, 64)
	if err != nil {
		panic(err)
	}
	return number
}

// faults are told once each, and not without end.
type faults struct {
	mutex sync.Mutex
	texts []string
}

func (f *faults) add(format string, values ...any) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if len(f.texts) < 20 {
		f.texts = append(f.texts, fmt.Sprintf(format, values...))
	}
}

func (f *faults) all() []string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return append([]string{}, f.texts...)
}

// answers counts the media types that the server chose.
type answers struct {
	watches counter
	mutex   sync.Mutex
	counts  map[string]int64
}

func (a *answers) all() map[string]int64 {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return maps.Clone(a.counts)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

func (a *answers) count(client string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			response, err := next.RoundTrip(request)
			if err != nil || response.StatusCode != http.StatusOK {
				return response, err
			}
			verb := "list"
			if request.URL.Query().Get("watch") != "" {
				verb = "watch"
				a.watches.Add(1)
			}
			mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
			a.mutex.Lock()
			defer a.mutex.Unlock()
			if a.counts == nil {
				a.counts = map[string]int64{}
			}
			a.counts[client+" "+verb+" "+mediaType]++
			return response, nil
		})
	}
}
