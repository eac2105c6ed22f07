package awssdk

import "testing"

func TestCheckEndpoint(t *testing.T) {
	t.Parallel()
	for endpoint, ok := range map[string]bool{
		"http://127.0.0.1:1": true, "http://[::1]:1": true, "http://localhost": true, "https://kms.example.com": true, "https://192.0.2.1": true,
		"http://kms.example.com": false, "http://192.0.2.1": false, "http://127.0.0.1.example.com": false, "http://0.0.0.0": false, "unix:///run/kms": false, "": false,
	} {
		if err := CheckEndpoint(&endpoint, "x"); (err == nil) != ok {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
	if err := CheckEndpoint(nil, "x"); err != nil {
		t.Error(err)
	}
}
