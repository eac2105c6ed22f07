package refresh

import "time"

// Stage is how far the life of a certificate has gone.
type Stage int

// The stages in which somebody should renew a certificate, but for the first.
const (
	Fresh Stage = iota
	LastThird
	LastTenth
	Expired
)

func (s Stage) String() string {
	return [...]string{"fresh", "in its last third", "in its last tenth", "expired"}[s]
}

// StageOf returns the stage at now of a certificate of this validity, whose ends belong to it (RFC 5280
// 4.1.2.5). One that is not known, with a zero notAfter, is Fresh.
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
