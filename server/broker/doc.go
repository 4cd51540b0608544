// Package broker is the embedded Kafka broker: kfake run as a one-node
// cluster with the settings and the repairs that keep its data exact.
package broker
