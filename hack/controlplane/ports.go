package controlplane

import "errors"

// ports are free TCP ports of 127.0.0.1, one for each listener.
type ports struct {
	etcd, peer, apiserver, controllerManager int

	held []*port
}

// reservePorts chooses ports and holds them until release. On Linux nobody
// else gets them meanwhile, and the parts can listen before the release.
func reservePorts() (ports, error) {
	var p ports
	for _, number := range []*int{&p.etcd, &p.peer, &p.apiserver, &p.controllerManager} {
		held, err := holdPort()
		if err != nil {
			return ports{}, errors.Join(err, p.release())
		}
		p.held = append(p.held, held)
		*number = held.number
	}
	return p, nil
}

func (p *ports) release() error {
	var err error
	for _, held := range p.held {
		err = errors.Join(err, held.release())
	}
	p.held = nil
	return err
}
