package kafka

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kprom"
)

// Metrics collects the connection and request counters of all clients of a
// process into one Prometheus registry, labelled by client id.
type Metrics struct {
	registry  prometheus.Registerer
	namespace string
}

// NewMetrics collects into registry, under names that begin with namespace
// ("ksqlgo_kafka").
func NewMetrics(registry prometheus.Registerer, namespace string) *Metrics {
	return &Metrics{registry: tolerantRegisterer{registry}, namespace: namespace}
}

// hooks is the option of one client; a client's collectors leave the registry
// when it is closed.
func (m *Metrics) hooks() kgo.Opt {
	return kgo.WithHooks(kprom.NewMetrics(m.namespace, kprom.Registerer(m.registry), kprom.WithClientLabel()))
}

// tolerantRegisterer keeps the first of two collectors of the same name and
// client id instead of panicking.
type tolerantRegisterer struct{ prometheus.Registerer }

// MustRegister implements prometheus.Registerer.
func (r tolerantRegisterer) MustRegister(collectors ...prometheus.Collector) {
	for _, c := range collectors {
		var already prometheus.AlreadyRegisteredError
		if err := r.Register(c); err != nil && !errors.As(err, &already) {
			panic(err)
		}
	}
}
