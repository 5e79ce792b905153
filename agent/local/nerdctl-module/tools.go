//go:build tools

// Package tools pins nerdctl, so that its checksum is verified against go.sum when it is built from source.
package tools

import _ "github.com/containerd/nerdctl/v2/cmd/nerdctl"
