package config

import "testing"

// TestHideSecrets: neither show nor the errors of a file have a password or PIN in them.
func TestHideSecrets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flag, value, want string }{
		{"region", "eu-west-1", "eu-west-1"},
		{"pkcs8-password", "hunter2", "(hidden)"},
		{"tpm-key-password", "hunter2", "(hidden)"},
		{"endpoint", "http://service.example.com:3128/a", "http://service.example.com:3128/a"},
		{"endpoint", "http://me:hunter2@service.example.com/a", "http://(hidden)@service.example.com/a"},
		{"proxy", "http://me:hun/ter2@proxy.example.com:3128", "http://(hidden)@proxy.example.com:3128"},
		{"proxy", "me:hunter2@proxy.example.com:3128", "(hidden)@proxy.example.com:3128"},
		{"proxy", "http://me@proxy.example.com", "http://me@proxy.example.com"},
		{"proxy", "http://me:hunter2@proxy.example.com:3128/x", "http://(hidden)@proxy.example.com:3128/x"},
		{"proxy", "http://me:a@b@proxy.example.com", "http://(hidden)@proxy.example.com"},
		{"private-key", "pkcs11:object=web;type=private", "pkcs11:object=web;type=private"},
		{"private-key", "pkcs11:object=web?pin-source=file:/pin", "pkcs11:object=web?pin-source=file:/pin"},
		{"private-key", "pkcs11:object=web?pin-value=1234&module-name=x", "pkcs11:object=web?pin-value=(hidden)&module-name=x"},
		{"private-key", "PKCS11:object=web?pin-value=1234", "PKCS11:object=web?pin-value=(hidden)"},
		{"certificate", "pkcs11:object=web?PIN-VALUE=1234", "pkcs11:object=web?pin-value=(hidden)"},
	} {
		if got := HideSecrets(tt.flag, tt.value); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.flag, tt.value, got, tt.want)
		}
	}
}
