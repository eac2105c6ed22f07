package ca

import (
	"encoding/pem"
	"math"
	"testing"
)

func TestMeasureCRL(t *testing.T) {
	root := rootOf(t, newKey(t))
	for _, n := range []int{0, 1, 100, 4000, 6500} {
		der, err := root.CRL(serials(n), weekly(7))
		if err != nil {
			t.Fatal(err)
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
		size, err := MeasureCRL(der)
		if err != nil || size.DER != len(der) || size.PEM != len(text) || size.Entries != n {
			t.Errorf("%d entries: %+v, %v; PEM %d", n, size, err, len(text))
		}
		if size.TooLarge() != (len(text) > 300_000) {
			t.Errorf("%d characters: %v", len(text), size.TooLarge())
		}
		same, err := MeasureCRL(text)
		if err != nil || same != size {
			t.Errorf("from PEM: %+v, %v", same, err)
		}
		if size.PerEntry < 65 || size.PerEntry > 69 {
			t.Errorf("%d entries: %g characters each", n, size.PerEntry)
		}
	}
	if _, err := MeasureCRL([]byte("x")); err == nil {
		t.Error("no CRL was measured")
	}
}

// What fits by the forecast fits, and one entry in a hundred more does not.
func TestForecastCRL_isTrue(t *testing.T) {
	root := rootOf(t, newKey(t))
	measure := func(n int) CRLSize {
		der, err := root.CRL(serials(n), weekly(7))
		if err != nil {
			t.Fatal(err)
		}
		size, err := MeasureCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		return size
	}
	n := 1000 + ForecastCRL(measure(1000), 1).Room
	if size := measure(n); size.TooLarge() {
		t.Errorf("%d entries: %d characters", n, size.PEM)
	}
	if size := measure(n + n/100); !size.TooLarge() {
		t.Errorf("%d entries: %d characters only", n+n/100, size.PEM)
	}
}

func TestForecastCRL(t *testing.T) {
	size := CRLSize{PEM: 100_000, PerEntry: 50, Entries: 1990}
	tests := []struct {
		size   CRLSize
		perDay float64
		want   CRLForecast
	}{
		{size, 40, CRLForecast{Room: 4000, Days: 100}},
		{size, 0, CRLForecast{Room: 4000, Never: true}},
		{size, -3, CRLForecast{Room: 4000, Never: true}},
		{size, math.NaN(), CRLForecast{Room: 4000, Never: true}},
		{CRLSize{PEM: 300_000, PerEntry: 50}, 1, CRLForecast{}},
		{CRLSize{PEM: 300_001, PerEntry: 50}, 0, CRLForecast{}},
		{CRLSize{PEM: 299_999, PerEntry: 50}, 1, CRLForecast{}},
	}
	for _, tt := range tests {
		if got := ForecastCRL(tt.size, tt.perDay); got != tt.want {
			t.Errorf("%+v, %g a day: got %+v, want %+v", tt.size, tt.perDay, got, tt.want)
		}
	}
}
