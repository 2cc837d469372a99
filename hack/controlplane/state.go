package controlplane

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// state is what a control plane records about itself so that another process
// can find it. It is written after each start of a part: if the starter is
// killed, what runs is known but for a part that was just being started.
type state struct {
	Kubernetes   string          `json:"kubernetes"`
	Etcd         string          `json:"etcd"`
	FeatureGates map[string]bool `json:"featureGates,omitempty"`
	AuditLog     string          `json:"auditLog,omitempty"`
	// APIServerArgs are those of Options.
	APIServerArgs []string    `json:"apiServerArgs,omitempty"`
	Parts         []partState `json:"parts"` // in the order of their first start
	Ready         bool        `json:"ready"`
}

func newState(bin Binaries, o Options) state {
	return state{
		Kubernetes:    bin.Kubernetes,
		Etcd:          bin.Etcd,
		FeatureGates:  o.FeatureGates,
		AuditLog:      o.AuditLog,
		APIServerArgs: o.APIServerArgs,
	}
}

type partState struct {
	Name string `json:"name"`
	Port int    `json:"port"` // on 127.0.0.1
	process
}

// readState returns the zero state if there is none.
func (h home) readState() (state, error) {
	var s state
	b, err := os.ReadFile(h.stateFile())
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("controlplane: read %q: %w", h.stateFile(), err)
	}
	return s, nil
}

// writeState replaces the state at once, so that a reader never sees half.
func (h home) writeState(s state) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(h.stateFile(), append(b, '\n'))
}

// running tells whether the start was completed and every part is alive.
func (s state) running() bool {
	dead := func(p partState) bool { return !p.alive() }
	return s.Ready && !slices.ContainsFunc(s.Parts, dead)
}

// alive tells whether any part is.
func (s state) alive() bool {
	return slices.ContainsFunc(s.Parts, func(p partState) bool { return p.alive() })
}

// sameOptions tells whether o asks for the control plane that s describes.
func (s state) sameOptions(o Options) bool {
	return maps.Equal(s.FeatureGates, o.FeatureGates) && s.AuditLog == o.AuditLog &&
		slices.Equal(s.APIServerArgs, o.APIServerArgs)
}

// stop ends the parts, last started first.
func (s state) stop(ctx context.Context) error {
	for _, p := range slices.Backward(s.Parts) {
		if err := p.stop(ctx); err != nil {
			return fmt.Errorf("controlplane: stop %s: %w", p.Name, err)
		}
	}
	return nil
}

// writeFile replaces the file at path at once. Only the user can read it. Two
// writers of one path must not run at the same time.
func writeFile(path string, content []byte) error {
	temp := path + ".tmp"
	if err := os.WriteFile(temp, content, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}
