#!/bin/sh
# Makes the key and trust stores of the tests with Java's keytool and OpenSSL, as operators do.
set -eu
cd "$(dirname "$0")"
rm -f *.jks *.p12 *.pem *.csr
years="-validity 36500"
key="-keyalg EC -groupname secp256r1"
# An authority, and a client's key that it has signed, in a JKS store with a password of the key's own.
keytool -genkeypair -alias ca $key $years -dname CN=test-ca -ext bc:c -storetype JKS -keystore ca.jks -storepass changeit -keypass changeit 2>/dev/null
keytool -exportcert -rfc -alias ca -keystore ca.jks -storepass changeit > ca.pem 2>/dev/null
keytool -genkeypair -alias client $key $years -dname CN=test-client -storetype JKS -keystore key.jks -storepass changeit -keypass another 2>/dev/null
keytool -certreq -alias client -keystore key.jks -storepass changeit -keypass another > client.csr 2>/dev/null
keytool -gencert -alias ca $years -keystore ca.jks -storepass changeit -rfc -infile client.csr > client.pem 2>/dev/null
keytool -importcert -noprompt -alias ca -file ca.pem -keystore key.jks -storepass changeit 2>/dev/null
keytool -importcert -noprompt -alias client -file client.pem -keystore key.jks -storepass changeit -keypass another 2>/dev/null
keytool -importcert -noprompt -alias ca -file ca.pem -storetype JKS -keystore trust.jks -storepass changeit 2>/dev/null
keytool -importcert -noprompt -alias ca -file ca.pem -storetype PKCS12 -keystore trust.p12 -storepass changeit 2>/dev/null
# The same key in PKCS12: Java's, which has the authority as a trusted certificate besides, and OpenSSL's.
keytool -importkeystore -srckeystore key.jks -srcstorepass changeit -srcalias client -srckeypass another -destkeystore key.p12 -deststoretype PKCS12 \
  -deststorepass changeit -destkeypass changeit 2>/dev/null
keytool -importcert -noprompt -alias ca -file ca.pem -keystore key.p12 -storepass changeit 2>/dev/null
openssl pkcs12 -in key.p12 -passin pass:changeit -nodes -nocerts -out plain.pem
openssl pkcs8 -topk8 -in plain.pem -passout pass:another -v2 aes256 -out client-key.pem
openssl pkcs12 -export -inkey plain.pem -in client.pem -certfile ca.pem -passout pass:changeit -out openssl.p12
openssl pkcs12 -export -nokeys -in ca.pem -passout pass:changeit -out unmarked.p12
rm -f ca.jks client.csr plain.pem
