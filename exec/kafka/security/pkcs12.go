package security

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"
)

func (f *keyFile) pkcs12Trusted(b []byte) ([]*x509.Certificate, error) {
	certificates, err := pkcs12.DecodeTrustStore(b, f.password)
	if err != nil {
		if f.isPassword(err) {
			return nil, f.wrongPassword(pkcs12Store)
		}
		return nil, fmt.Errorf("%w (a trust store is what keytool -importcert makes; "+
			"a PEM file of the certificates does as well)", err)
	}
	return certificates, nil
}

func (f *keyFile) pkcs12Identities(b []byte) ([]tls.Certificate, error) {
	key, first, others, err := pkcs12.DecodeChain(b, f.password)
	switch {
	case err == nil:
		c, err := identity(key, append([]*x509.Certificate{first}, others...))
		return []tls.Certificate{c}, err
	case f.isPassword(err):
		return nil, f.wrongPassword(pkcs12Store)
	case f.keyPassword != "" && f.keyPassword != f.password:
		return nil, fmt.Errorf("%w (%s differs from %s, which PKCS12 does not provide for)", err, f.keyPasswordName, f.passwordName)
	}
	return nil, err
}

// isPassword says whether a PKCS12 file could not be opened for its password.
func (f *keyFile) isPassword(err error) bool {
	return errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption)
}
