package emulator

import (
	"fmt"
	"math"
	"time"
)

// conditionsFile is the JSON form of Conditions.
type conditionsFile struct {
	RequestRate      float64 `json:"requestRate"`
	PropagationDelay float64 `json:"propagationDelaySeconds"`
	StaleReads       bool    `json:"staleReads"`
	LostAnswers      float64 `json:"lostAnswers"`
	Seed             uint64  `json:"seed"`
}

// conditions returns them checked, so that an error names the file.
func (f conditionsFile) conditions() (Conditions, error) {
	// What overflows a duration is too long as well.
	delay := math.Min(math.Max(f.PropagationDelay, -1), MaxPropagationDelay.Seconds()+1)
	c := Conditions{f.RequestRate, time.Duration(delay * float64(time.Second)), f.StaleReads, f.LostAnswers, f.Seed}
	if err := c.Validate(); err != nil {
		return Conditions{}, fmt.Errorf("conditions: %w", err)
	}
	return c, nil
}

// addConditions adds the conditions and the faults.
func (f configFile) addConditions(c *Config) (err error) {
	if c.Conditions, err = f.Conditions.conditions(); err != nil {
		return err
	}
	for _, text := range f.Faults {
		fault, err := ParseFault(text)
		if err != nil {
			return err
		}
		c.Faults = append(c.Faults, fault)
	}
	return nil
}
