package refresh

import "time"

// Stage is the part of its validity that a certificate is in.
type Stage int

// The stages. From LastThird on the certificate should be renewed.
const (
	Fresh Stage = iota
	LastThird
	LastTenth
	Expired
)

func (s Stage) String() string {
	return [...]string{"fresh", "in its last third", "in its last tenth", "expired"}[s]
}

// StageOf returns the stage at now of a certificate with this validity, both ends inclusive (RFC
// 5280 4.1.2.5). If notAfter is zero (unknown), it is Fresh.
func StageOf(notBefore, notAfter, now time.Time) Stage {
	life, left := notAfter.Sub(notBefore), notAfter.Sub(now)
	switch {
	case notAfter.IsZero():
		return Fresh
	case left < 0:
		return Expired
	case left <= life/10:
		return LastTenth
	case left <= life/3:
		return LastThird
	}
	return Fresh
}
