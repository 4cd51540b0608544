package security

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/youmark/pkcs8"
)

// pemPart is a part of a PEM text. In the value of a property there may be blanks, or nothing, where lines ended.
var pemPart = regexp.MustCompile(`(?s)-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END ([A-Z0-9 ]+)-----`)

// pemBlock is what a part of a PEM text holds.
type pemBlock struct {
	kind string
	der  []byte
}

// pemBlocks reads all parts of a PEM text; what stands between them does not count.
func pemBlocks(text string) ([]pemBlock, error) {
	found := pemPart.FindAllStringSubmatch(text, -1)
	if starts := strings.Count(text, "-----BEGIN "); starts != len(found) {
		return nil, fmt.Errorf("it has %d parts that begin as PEM does, of which %d are whole", starts, len(found))
	}
	var out []pemBlock
	for i, f := range found {
		if f[1] != f[3] {
			return nil, fmt.Errorf("part %d begins as %s and ends as %s", i+1, f[1], f[3])
		}
		if strings.Contains(f[2], ":") {
			return nil, fmt.Errorf("part %d (%s) is encrypted in an old way; openssl pkcs8 -topk8 -v2 aes256 makes a key that can be read", i+1, f[1])
		}
		// A file that was made for another parser may spell line ends out.
		body := strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "", `\n`, "", `\r`, "").Replace(f[2])
		der, err := base64.StdEncoding.DecodeString(body)
		if err != nil {
			return nil, fmt.Errorf("part %d (%s) is not base64", i+1, f[1])
		}
		out = append(out, pemBlock{f[1], der})
	}
	return out, nil
}

// pemCertificates reads the certificates of a PEM text.
func pemCertificates(text string) ([]*x509.Certificate, error) {
	blocks, err := pemBlocks(text)
	if err != nil {
		return nil, err
	}
	var out []*x509.Certificate
	for i, b := range blocks {
		switch b.kind {
		case "CERTIFICATE", "X509 CERTIFICATE":
			c, err := x509.ParseCertificate(b.der)
			if err != nil {
				return nil, fmt.Errorf("part %d: %w", i+1, err)
			}
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("there is no certificate in PEM (-----BEGIN CERTIFICATE-----)")
	}
	return out, nil
}

// pemIdentity reads a certificate with its chain, and its key. The texts may be the same.
func pemIdentity(certificates, key, password, passwordName string) ([]tls.Certificate, error) {
	chain, err := pemCertificates(certificates)
	if err != nil {
		return nil, err
	}
	private, err := pemKey(key, password, passwordName)
	if err != nil {
		return nil, err
	}
	c, err := identity(private, chain)
	return []tls.Certificate{c}, err
}

// pemKey reads the private key of a PEM text.
func pemKey(text, password, passwordName string) (crypto.PrivateKey, error) {
	blocks, err := pemBlocks(text)
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		switch b.kind {
		case "PRIVATE KEY":
			return x509.ParsePKCS8PrivateKey(b.der)
		case "RSA PRIVATE KEY":
			return x509.ParsePKCS1PrivateKey(b.der)
		case "EC PRIVATE KEY":
			return x509.ParseECPrivateKey(b.der)
		case "ENCRYPTED PRIVATE KEY":
			if password == "" {
				return nil, fmt.Errorf("the key is encrypted, and %s is not set", passwordName)
			}
			key, err := pkcs8.ParsePKCS8PrivateKey(b.der, []byte(password))
			if err != nil {
				return nil, fmt.Errorf("%s does not open the key: %w", passwordName, err)
			}
			return key, nil
		}
	}
	return nil, errors.New("there is no private key in PEM (-----BEGIN PRIVATE KEY-----)")
}
