// Package fault kills ksqlgo, takes its disk away and damages its files, as processes of their own and under load, and checks
// that nothing is lost and nothing counted twice.
//
//	go test ./tests/fault                       # a few kills
//	go test ./tests/fault -run Kill -long -v    # sixty kills of one server, half a million inputs
//	go test ./tests/fault -run Churn -churn 1h  # servers and queries come and go for an hour
//
// Several servers on Apache Kafka with three brokers, each of them, the brokers and the network between them struck:
//
//	KSQLGO_TEST_KAFKA=apache go test ./tests/fault -run TestFleetOnApacheKafka -v
//	KSQLGO_TEST_KAFKA=apache go test ./tests/fault -run TestFleetOnApacheKafka -v -timeout 4h -long \
//		-kills 300 -freezes 100 -brokerfaults 200 -inputs 3000000 [-atleastonce]
//
// What a run needs to be looked into: -keep DIR keeps the servers' data and logs, -seed N draws the same strikes again (not
// at the same moments of the servers' work), and records that are there twice are traced back to the transactions that wrote
// them.
package fault
