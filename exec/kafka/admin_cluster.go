package kafka

import "context"

// ID is the cluster's id.
func (c *Cluster) ID(ctx context.Context) (string, error) {
	m, err := c.admin.kadm.BrokerMetadata(ctx)
	if err != nil {
		return "", newError("asking for the cluster's id", err)
	}
	return m.Cluster, nil
}
