package security

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// readIdentity reads what to show brokers that ask for a certificate. None when no property says it.
func readIdentity(v *values, logger *slog.Logger) (w *watched[[]tls.Certificate], from string, err error) {
	const inline, store, file = "ssl.keystore.certificate.chain", "ssl.keystore.location", "ssl.certificate.location"
	// Of pairs the other half.
	keys := map[string]string{inline: "ssl.keystore.key", file: "ssl.key.location"}
	if from, err = v.only(inline, store, file); err != nil {
		return nil, from, err
	}
	for certificate, key := range keys {
		switch {
		case from == certificate && !v.has(key):
			return nil, from, v.errorf(key, "it is not set; it has the key of the certificate in %s", v.called(certificate))
		case from != certificate && v.has(key):
			return nil, from, v.errorf(key, "it is set, but there is no certificate for it in %s", certificate)
		}
	}
	if from == "" {
		for _, alone := range []string{"ssl.keystore.password", "ssl.keystore.type", "ssl.key.password"} {
			if v.has(alone) {
				v.warn("%s has no effect: there is no key store", v.called(alone))
			}
		}
		return nil, "", nil
	}
	kind, err := v.kind("ssl.keystore.type")
	if err != nil {
		return nil, from, err
	}
	var files []string
	var read func() ([]tls.Certificate, error)
	password := v.get("ssl.key.password")
	switch from {
	case inline:
		if kind != "" && kind != pemStore {
			return nil, from, v.errorf("ssl.keystore.type", "it is %s, but %s is PEM", kind, v.called(inline))
		}
		read = func() ([]tls.Certificate, error) {
			return pemIdentity(v.get(inline), v.get(keys[inline]), password, v.called("ssl.key.password"))
		}
	case file:
		files = []string{v.get(file), v.get(keys[file])}
		read = func() ([]tls.Certificate, error) {
			certificate, err := readFile(files[0])
			if err != nil {
				return nil, err
			}
			key, err := readFile(files[1])
			if err != nil {
				return nil, err
			}
			return pemIdentity(string(certificate), string(key), password, v.called("ssl.key.password"))
		}
	default:
		files = []string{v.get(store)}
		s := keyFile{path: v.get(store), kind: kind, password: v.get("ssl.keystore.password"), hasPassword: v.has("ssl.keystore.password"),
			keyPassword: password, passwordName: v.called("ssl.keystore.password"), keyPasswordName: v.called("ssl.key.password"),
			kindName: v.called("ssl.keystore.type")}
		read = s.identities
	}
	what := v.called(from)
	if key := keys[from]; key != "" {
		what += ", " + v.called(key)
	}
	w, err = newWatched(what, files, func() ([]tls.Certificate, error) {
		certificates, err := read()
		if err == nil && len(certificates) == 0 {
			err = errors.New("it holds no private key with its certificate")
		}
		if err != nil {
			return nil, v.fileError(from, files, err)
		}
		for _, c := range certificates {
			if time.Now().After(c.Leaf.NotAfter) {
				logger.Warn("security of connections to Kafka: the certificate for brokers has expired", "property", v.called(from), "subject", c.Leaf.Subject.String(),
					"expired", c.Leaf.NotAfter)
			}
		}
		return certificates, nil
	}, logger)
	return w, what, err
}

// identity puts a key and its certificates together: the key's own, then each one's issuer as far as they are there. Others are
// left out.
func identity(key crypto.PrivateKey, certificates []*x509.Certificate) (tls.Certificate, error) {
	public, ok := key.(crypto.Signer)
	if !ok {
		return tls.Certificate{}, fmt.Errorf("keys of the type %T are not supported", key)
	}
	c := tls.Certificate{PrivateKey: key}
	for _, leaf := range certificates {
		if same, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); ok && same.Equal(public.Public()) {
			c.Leaf = leaf
			break
		}
	}
	if c.Leaf == nil {
		return c, errors.New("the key is not that of any of the certificates")
	}
	for last := c.Leaf; last != nil && len(c.Certificate) < len(certificates); last = issuer(last, certificates) {
		c.Certificate = append(c.Certificate, last.Raw)
	}
	return c, nil
}

// issuer finds the certificate that signed another one, unless that is its own.
func issuer(of *x509.Certificate, among []*x509.Certificate) *x509.Certificate {
	for _, c := range among {
		if !c.Equal(of) && string(c.RawSubject) == string(of.RawIssuer) && of.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}

// kind reads ssl.truststore.type or ssl.keystore.type; empty when it is not set.
func (v *values) kind(property string) (storeKind, error) {
	switch k := storeKind(strings.ToUpper(v.get(property))); k {
	case "", pemStore, jksStore, pkcs12Store:
		return k, nil
	}
	return "", v.errorf(property, "%q is not one of PEM, PKCS12, JKS", v.get(property))
}
