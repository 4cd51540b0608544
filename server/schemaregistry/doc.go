// Package schemaregistry is the schema registry of a server with an embedded broker: Confluent's REST API over schemas that are
// kept, in Confluent's format, in a topic.
//
// A [Registry] is its state in memory. Whatever changes it is a list of records, which are appended to the [Log] in one
// transaction and then applied, so that each change is there as a whole or not at all, however the process ends. When it is not
// known whether a transaction was committed, the registry answers nothing until it has been found out: the log is fenced, and
// read on from where it was known. One registry at a time has a log.
//
// Its schemas are the engine's, in the same process, by [Registry]'s methods of schemas.Registry, and those of users' producers
// and consumers by [Registry.Handler].
package schemaregistry
