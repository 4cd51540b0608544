package kafka

import "context"

// TakeOver makes the producer the one of its transactional id, whoever has it
// at present: an open transaction is aborted, other producers of the id can
// commit no more, and what this one has produced and not committed is dropped.
// It is the way back from Fenced, cheaper than a new producer. When it fails
// it may be called again.
func (p *Producer) TakeOver(ctx context.Context) error {
	p.sender.reset()
	identity, err := initProducer(ctx, p.client, p.txnID, p.cfg.TransactionTimeout, producerIdentity{-1, -1})
	if err != nil {
		return err
	}
	p.reset(identity)
	return nil
}
