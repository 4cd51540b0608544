package security

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ksqlgo/ksqlgo/tests/certificates"
)

func contents(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// oneLine is a PEM text as it is in a properties file whose lines go on with backslashes.
func oneLine(text string) string {
	return strings.NewReplacer("\r", "", "\n", " ").Replace(strings.TrimSpace(text))
}

// Stores are read as keytool and OpenSSL make them; see testdata/make.sh.
func TestStores(t *testing.T) {
	t.Parallel()
	damaged := certificates.Write(t, "damaged.jks", contents(t, "trust.jks")[:300])
	huge := certificates.Write(t, "huge.jks", "\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00________\x7f\xff\xff\xff"+strings.Repeat("x", 40))
	other := certificates.New(t, "other").Issue(t, "other")
	both := certificates.Write(t, "both.pem", "A key:\n"+other.KeyPEM(t)+"\nand its certificate\n"+other.PEM())
	const trust, key = "ssl.truststore.location=testdata/", "ssl.keystore.location=testdata/"
	for name, c := range map[string]struct {
		text string
		// subjects of what is trusted or shown, joined by commas; err is a part of the error.
		want, err string
	}{
		"trust JKS":                  {text: trust + "trust.jks\nssl.truststore.password=changeit", want: "test-ca"},
		"trust JKS without password": {text: trust + "trust.jks", want: "test-ca"},
		"trust JKS called PKCS12":    {text: trust + "trust.jks\nssl.truststore.type=pkcs12\nssl.truststore.password=changeit", want: "test-ca"},
		"trust PKCS12":               {text: trust + "trust.p12\nssl.truststore.password=changeit\nssl.truststore.type=PKCS12", want: "test-ca"},
		"trust PEM":                  {text: trust + "ca.pem\nssl.truststore.type=PEM", want: "test-ca"},
		"trust PEM, kind unsaid":     {text: trust + "ca.pem", want: "test-ca"},
		"trust of librdkafka":        {text: "ssl.ca.location=testdata/ca.pem", want: "test-ca"},
		"trust in the value":         {text: "ssl.truststore.certificates=" + oneLine(contents(t, "ca.pem")+contents(t, "client.pem")), want: "test-ca,test-client"},
		"trust in the value, \\n":    {text: "ssl.truststore.certificates=" + strings.NewReplacer("\r", "", "\n", `\\n`).Replace(contents(t, "ca.pem")), want: "test-ca"},
		"key JKS":                    {text: key + "key.jks\nssl.keystore.password=changeit\nssl.key.password=another", want: "test-client,test-ca"},
		"key JKS without password":   {text: key + "key.jks\nssl.key.password=another", want: "test-client,test-ca"},
		"key PKCS12":                 {text: key + "key.p12\nssl.keystore.password=changeit\nssl.key.password=changeit", want: "test-client,test-ca"},
		"key PKCS12 of OpenSSL":      {text: key + "openssl.p12\nssl.keystore.password=changeit", want: "test-client,test-ca"},
		"key PEM":                    {text: "ssl.keystore.location=" + both + "\nssl.keystore.type=PEM", want: "other"},
		"key of librdkafka":          {text: "ssl.certificate.location=testdata/client.pem\nssl.key.location=testdata/client-key.pem\nssl.key.password=another", want: "test-client"},
		"key in the value": {text: "ssl.keystore.type=PEM\nssl.key.password=another\nssl.keystore.certificate.chain=" + oneLine(contents(t, "client.pem")+contents(t, "ca.pem")) +
			"\nssl.keystore.key=" + oneLine(contents(t, "client-key.pem")), want: "test-client,test-ca"},

		"trust JKS, wrong":      {text: trust + "trust.jks\nssl.truststore.password=wrong", err: "ssl.truststore.location: testdata/trust.jks: ssl.truststore.password does not open it"},
		"trust PKCS12, wrong":   {text: trust + "trust.p12\nssl.truststore.password=wrong", err: "ssl.truststore.password does not open it"},
		"trust PKCS12, none":    {text: trust + "trust.p12", err: "a PKCS12 store needs its password, and ssl.truststore.password is not set"},
		"trust not marked":      {text: trust + "unmarked.p12\nssl.truststore.password=changeit", err: "not marked as trusted (a trust store is what keytool -importcert makes"},
		"trust is JKS, not PEM": {text: trust + "trust.jks\nssl.truststore.type=PEM", err: "it is JKS, but ssl.truststore.type says PEM"},
		"trust is PEM, not JKS": {text: trust + "ca.pem\nssl.truststore.type=JKS", err: "it is PEM, but ssl.truststore.type says JKS"},
		"trust damaged":         {text: "ssl.truststore.location=" + damaged, err: "it is damaged"},
		"trust with huge key":   {text: "ssl.truststore.location=" + huge, err: "it is damaged"},
		"trust is something":    {text: trust + "make.sh", err: "it is neither PEM nor PKCS12 nor JKS"},
		"trust is a folder":     {text: "ssl.ca.location=testdata", err: "ssl.ca.location: testdata: it cannot be read"},
		"trust has keys alone":  {text: "ssl.ca.location=testdata/client-key.pem", err: "there is no certificate in PEM"},
		"trust value is none":   {text: "ssl.truststore.certificates=/etc/ca.pem", err: "ssl.truststore.certificates: there is no certificate in PEM"},
		"trust value is cut":    {text: "ssl.truststore.certificates=" + oneLine(contents(t, "ca.pem"))[:200], err: "1 parts that begin as PEM does, of which 0 are whole"},
		"key JKS, wrong":        {text: key + "key.jks\nssl.keystore.password=changeit", err: "ssl.keystore.password does not open the key client"},
		"key JKS, wrong key":    {text: key + "key.jks\nssl.keystore.password=changeit\nssl.key.password=wrong", err: "ssl.key.password does not open the key client"},
		"key JKS, none":         {text: key + "key.jks", err: "a JKS store needs its password, and ssl.keystore.password is not set"},
		"key PKCS12, wrong":     {text: key + "key.p12\nssl.keystore.password=wrong", err: "ssl.keystore.password does not open it"},
		"key JKS has no key":    {text: key + "trust.jks\nssl.keystore.password=changeit", err: "it holds no private key with its certificate"},
		"key encrypted":         {text: "ssl.certificate.location=testdata/client.pem\nssl.key.location=testdata/client-key.pem", err: "ssl.certificate.location: testdata/client.pem, testdata/client-key.pem: the key is encrypted, and ssl.key.password is not set"},
		"key, wrong password":   {text: "ssl.certificate.location=testdata/client.pem\nssl.key.location=testdata/client-key.pem\nssl.key.password=wrong", err: "ssl.key.password does not open the key"},
		"key of another":        {text: "ssl.certificate.location=testdata/ca.pem\nssl.key.location=" + both, err: "the key is not that of any of the certificates"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, warnings, err := parse(t, "security.protocol=SSL\n"+c.text+"\n")
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if warnings != "" {
				t.Errorf("warned of %s", warnings)
			}
			config, err := s.TLS("broker")
			if err != nil {
				t.Fatal(err)
			}
			if config.ServerName != "broker" || config.MinVersion != tls.VersionTLS12 || config.InsecureSkipVerify {
				t.Errorf("settings %+v", config)
			}
			if got := subjects(t, config); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// subjects are those of the one chain that settings show; without one, of what they trust.
func subjects(t *testing.T, c *tls.Config) string {
	t.Helper()
	var out []string
	add := func(raw []byte) {
		var name pkix.RDNSequence
		if _, err := asn1.Unmarshal(raw, &name); err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.TrimPrefix(name.String(), "CN="))
	}
	if c.RootCAs != nil {
		//nolint:staticcheck // Not made of the system's pool, whose subjects alone would be missing.
		for _, raw := range c.RootCAs.Subjects() {
			add(raw)
		}
		return strings.Join(out, ",")
	}
	if len(c.Certificates) != 1 {
		t.Fatalf("%d certificates", len(c.Certificates))
	}
	for _, raw := range c.Certificates[0].Certificate {
		one, err := x509.ParseCertificate(raw)
		if err != nil {
			t.Fatal(err)
		}
		add(one.RawSubject)
	}
	return strings.Join(out, ",")
}

// Whatever a PEM text is, reading it ends with blocks or an error. Encrypted keys are left to their library, which works for as
// long as the text tells it to.
func FuzzPEM(f *testing.F) {
	f.Add(contents(f, "ca.pem"))
	f.Add(contents(f, "client-key.pem"))
	f.Add(oneLine(contents(f, "client.pem")))
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = pemCertificates(text)
		_, _ = pemKey(text, "", "password")
	})
}

// A store whose lengths fit is read within the memory that it takes itself.
func FuzzJKS(f *testing.F) {
	f.Add([]byte(contents(f, "trust.jks")), "")
	f.Add([]byte(contents(f, "key.jks")), "another")
	f.Fuzz(func(_ *testing.T, b []byte, password string) {
		s := keyFile{keyPassword: password, passwordName: "a", keyPasswordName: "b"}
		_, _ = s.jksTrusted(b)
		_, _ = s.jksIdentities(b)
	})
}
