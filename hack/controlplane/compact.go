package controlplane

import (
	"context"
	"fmt"
)

// Compact makes etcd forget every version before its current one, which it
// returns. From then on the API server answers 410 to whoever asks etcd for an
// older version; what its watch cache holds in memory it still serves, until
// it is started again.
func (c *ControlPlane) Compact(ctx context.Context) (version int64, err error) {
	err = c.change(func(l *launcher) error {
		version, err = l.compact(ctx)
		return err
	})
	return version, err
}

// compact uses the JSON form of etcd's API, in which keys are base64 and
// 64-bit numbers are strings: see etcd.io/docs/v3.6/dev-guide/api_grpc_gateway.
func (l *launcher) compact(ctx context.Context) (int64, error) {
	var read struct {
		Header struct {
			Revision int64 `json:",string"`
		}
	}
	if err := l.ask(ctx, "/v3/kv/range", map[string]any{"key": []byte("/"), "count_only": true}, &read); err != nil {
		return 0, err
	}
	type compaction struct {
		Revision int64 `json:"revision,string"`
		Physical bool  `json:"physical"` // answer when it is done
	}
	var done struct{}
	if err := l.ask(ctx, "/v3/kv/compaction", compaction{read.Header.Revision, true}, &done); err != nil {
		return 0, err
	}
	return read.Header.Revision, nil
}

func (l *launcher) ask(ctx context.Context, path string, question, answer any) error {
	url := loopbackURL(l.plan.ports.etcd) + path
	if err := (prober{l.home}).post(ctx, etcdCA, etcdClient, url, question, answer); err != nil {
		return fmt.Errorf("controlplane: %w", err)
	}
	return nil
}
