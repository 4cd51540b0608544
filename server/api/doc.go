// Package api holds the JSON shapes of ksqlDB's REST contract: requests,
// statement results, streamed rows and errors.
//
// The names of fields and of the "@type" discriminators are ksqlDB's; clients
// written for it depend on them. The package holds data only: it knows neither
// HTTP nor SQL, and values of its types may be shared between goroutines as
// long as nobody changes them.
package api
