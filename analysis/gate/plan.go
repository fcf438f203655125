package gate

import (
	"errors"
	"fmt"
	"slices"
)

// PlanSchema names the version of Plan's JSON, Schema that of Verdict's.
const (
	PlanSchema = "shardlab.gate-plan/1"
	Schema     = "shardlab.gate/1"
)

// The arms of a gate's run.
const (
	Base    = "base"
	Head    = "head"
	Control = "control" // base again
)

// Plan is what a gate has promised before it measured anything. It is kept in the run's manifest.
type Plan struct {
	Schema    string    `json:"schema"`
	Primaries []Primary `json:"primaries"` // in the order of the file
	Looks     []Look    `json:"looks"`     // ascending; shares sum to 1
	Family    float64   `json:"family"`    // probability that any primary is called regressed where none is
	Single    float64   `json:"single"`    // the same of one primary, at most; and of calling one of δ a pass
	Control   bool      `json:"control"`   // there is an arm Control
	Confirm   bool      `json:"confirm"`   // what is called better or worse is measured again, in blocks from Blocks() on
}

// Primary is one metric at one point that the gate judges. With a claim head is no other build than base but another way to
// start it, and must be so many times as good: less by a share of Delta is what must be found.
type Primary struct {
	Point  string  `json:"point"`
	Metric Metric  `json:"metric"`
	Delta  float64 `json:"delta"` // the change for the worse that must be found, as a share: 0.05
	Claim  float64 `json:"claim,omitempty"`
}

// Look is a number of blocks after which a primary may be decided, with its share of the error probability.
type Look struct {
	Blocks int     `json:"blocks"`
	Share  float64 `json:"share"`
}

// DefaultBlocks are the blocks of the default looks.
var DefaultBlocks = []int{6, 10, 16, 24}

// The error probabilities of the default plan. Single is one-sided, so that a row's verdict and its 99 % interval speak
// of the same chance.
const (
	DefaultFamily = 0.01
	DefaultSingle = 0.005
)

// MaxBlocks bounds a plan: the exact sign-flip test of 40 blocks goes through 2·2^20 sums, 0.2 s.
const MaxBlocks = 40

// MinBlocks is the fewest blocks of a look.
const MinBlocks = 4

// NewPlan has looks after so many blocks each. A later look gets more of the error probability, in proportion to its
// place: it is the one that decides the hard cases.
func NewPlan(primaries []Primary, blocks []int) Plan {
	p := Plan{Schema: PlanSchema, Primaries: primaries, Family: DefaultFamily, Single: DefaultSingle, Control: true, Confirm: true}
	sum := float64(len(blocks) * (len(blocks) + 1) / 2)
	for i, n := range blocks {
		p.Looks = append(p.Looks, Look{Blocks: n, Share: float64(i+1) / sum})
	}
	return p
}

// Check says what is wrong with a plan. It guards against plans that can never decide anything as well: a gate that
// compared nothing must not pass.
func (p *Plan) Check() error {
	switch {
	case p.Schema != PlanSchema:
		return fmt.Errorf("the plan's schema is %q, this program reads %q", p.Schema, PlanSchema)
	case len(p.Primaries) == 0:
		return errors.New("no primary metric: the gate would compare nothing")
	case len(p.Looks) == 0:
		return errors.New("no looks: the gate would never decide")
	case !(p.Family > 0 && p.Family < 0.5) || !(p.Single > 0 && p.Single < 0.5):
		return fmt.Errorf("error probabilities %g and %g: both must be above 0 and below 0.5", p.Family, p.Single)
	}
	last, sum := 0, 0.0
	for _, l := range p.Looks {
		if l.Blocks <= last || l.Blocks < MinBlocks || l.Blocks > MaxBlocks || !(l.Share > 0) {
			return fmt.Errorf("a look after %d blocks: looks ascend, from %d to %d blocks, and have a share each", l.Blocks, MinBlocks, MaxBlocks)
		}
		last, sum = l.Blocks, sum+l.Share
	}
	if sum > 1+1e-9 {
		return fmt.Errorf("the looks' shares sum to %g, not to 1", sum)
	}
	return p.checkPrimaries()
}

func (p *Plan) checkPrimaries() error {
	type name struct {
		point  string
		metric Metric
	}
	seen := map[name]bool{}
	for _, x := range p.Primaries {
		if _, ok := find(x.Metric); !ok {
			return fmt.Errorf("unknown metric %q; have %v", x.Metric, Metrics())
		}
		if !(x.Delta > 0 && x.Delta <= 10) {
			return fmt.Errorf("%s: a δ of %g: it must be above 0, and at most 10 (1000 %%)", x.Metric, x.Delta)
		}
		if x.Claim != 0 && !(x.Claim > 0.001 && x.Claim < 1000) {
			return fmt.Errorf("%s: a claim of %g times as good: it must be between 0.001 and 1000", x.Metric, x.Claim)
		}
		if k := (name{x.Point, x.Metric}); seen[k] {
			return fmt.Errorf("%s at %q is there twice", x.Metric, x.Point)
		} else {
			seen[k] = true
		}
	}
	return nil
}

// Blocks is how many blocks of a point there are at most, without those of the confirmation.
func (p *Plan) Blocks() int { return p.Looks[len(p.Looks)-1].Blocks }

// Points are the points that the primaries are at.
func (p *Plan) Points() []string {
	var points []string
	for _, x := range p.Primaries {
		if !slices.Contains(points, x.Point) {
			points = append(points, x.Point)
		}
	}
	return points
}
