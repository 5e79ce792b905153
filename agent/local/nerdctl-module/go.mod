module skerry.dev/nerdctl

go 1.23.0

require github.com/containerd/nerdctl/v2 v2.0.0
