// Package peers keeps a server in touch with the other servers of its service: where they are, whether they answer, and what
// their tasks are doing.
//
// Who the others are stands in the assignments of the queries, which the leaders of the consumer groups send to all members.
// Each server asks each other one every 100 ms how it is (a heartbeat); the answer carries the other's [Status] when that has
// changed. So what a server knows of another came over the very way on which it would send it a query: a peer is alive if it
// has answered one of the last beats, and no name lookup, no Kafka broker and no clock but the own one has a say in it. Beats
// that were never sent, since this process stood still, count against nobody.
//
// A beat also tells who sent it and where that one can be reached. That is how a server is found that came back on another
// port without a rebalance, as a static member of its groups does.
//
// Everything goes to the internal listener of the other server ([Peers.Serve]), which serves no public endpoint and may want
// certificates on both sides ([TLS]). Other packages add endpoints with [Peers.Handle] and call them with [Peers.Post]; a
// request that arrives at another server than the one it is meant for is refused.
package peers
