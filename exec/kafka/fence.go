package kafka

import (
	"context"
	"strings"
	"time"
)

// OpenTransactions lists the transactional ids with a prefix that have a transaction open. Brokers that do not answer are
// left out: what they coordinate is not listed.
func (a *Admin) OpenTransactions(ctx context.Context, prefix string) ([]string, error) {
	list, err := a.kadm.ListTransactions(ctx, nil, []string{"Ongoing"})
	var open []string
	for id := range list {
		if strings.HasPrefix(id, prefix) {
			open = append(open, id)
		}
	}
	if len(open) > 0 {
		return open, nil
	}
	return nil, newError("listing transactions", err)
}

// Fence takes a transactional id from whoever has it: a transaction open under it is aborted, and its producer can commit no
// more. It is for the ids of processes that are gone, whose transactions would hold up readers until they time out.
func (c *Cluster) Fence(ctx context.Context, transactionalID string) error {
	const timeout = 10 * time.Second
	_, err := initProducer(ctx, c.client, transactionalID, timeout, producerIdentity{-1, -1})
	return err
}
