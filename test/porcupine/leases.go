package main

import (
	"fmt"
	"math"
	"sort"
)

// A lease on a lock, or the term of a leader, as its holder told of it.
//
// From begin to end the holder surely relied on it:
//
//  1. begin is when the grant was in the holder's hands.
//  2. A release that the group confirmed ends it when it was called: the group itself says that it was held until then.
//  3. Otherwise it ends at the earliest of: the call of the release, the notice of its loss, and the latest moment up to which the
//     holder said it might rely on it. That holds for a process that is stopped or dead too, for nobody else may have been granted
//     what it was promised.
//  4. A holder that never named such a moment and never gave the lease back claims nothing.
type lease struct {
	process  string
	at       place
	token    int64
	call     int64
	begin    int64
	end      int64
	queuedAt *int64
	isTerm   bool

	validUntil *int64
	overAt     *int64
	confirmed  bool
}

func (l *lease) String() string { return fmt.Sprintf("%s's grant with token %d", l.process, l.token) }

type holding struct {
	process string
	at      place
	token   int64
}

// leasesIn gathers each lease from the lines that speak of it; lines of tokens that their process was not granted are strays.
func leasesIn(operations []Operation) ([]*lease, []Violation) {
	var leases []*lease
	found := map[holding]*lease{}
	for _, o := range operations {
		if (o.Op != "acquire" && o.Op != "lead") || !o.succeeded() || o.Renewal {
			continue
		}
		l := &lease{process: o.Process, at: o.place(), token: *o.Token, call: *o.Call, begin: *o.Return}
		l.queuedAt, l.isTerm, l.validUntil = o.QueuedAt, o.Op == "lead", o.ValidUntil
		leases = append(leases, l)
		if found[holding{o.Process, o.place(), *o.Token}] == nil {
			found[holding{o.Process, o.place(), *o.Token}] = l
		}
	}
	var strays []Violation
	for _, o := range operations {
		if o.Token == nil || o.Op == "acquire" || o.Op == "lead" && !o.Renewal {
			continue
		}
		l := found[holding{o.Process, o.place(), *o.Token}]
		if l == nil {
			strays = append(strays, Violation{"stray", o.Key, fmt.Sprintf("%s did %s with the token %d, which it was not granted", o.Process, o.Op, *o.Token)})
			continue
		}
		if *o.Call < l.begin {
			strays = append(strays, Violation{"stray", o.Key, fmt.Sprintf("%s did %s with the token %d before it was granted", o.Process, o.Op, *o.Token)})
		}
		l.learn(o)
	}
	for _, l := range leases {
		l.settle()
	}
	return leases, strays
}

func (l *lease) learn(o Operation) {
	if o.ValidUntil != nil && (l.validUntil == nil || *o.ValidUntil > *l.validUntil) {
		l.validUntil = o.ValidUntil
	}
	switch o.Op {
	case "release", "unlead", "lost":
		if l.overAt == nil || *o.Call < *l.overAt {
			l.overAt = o.Call
		}
		l.confirmed = l.confirmed || o.Op != "lost" && o.succeeded()
	}
}

func (l *lease) settle() {
	switch {
	case l.overAt != nil && (l.confirmed || l.validUntil == nil):
		l.end = *l.overAt
	case l.validUntil != nil:
		l.end = *l.validUntil
		if l.overAt != nil && *l.overAt < l.end {
			l.end = *l.overAt
		}
	default:
		l.end = l.begin
	}
}

// overlaps finds two holders of one lock, or two leaders of one election, at a time.
func overlaps(leases []*lease) []Violation {
	var violations []Violation
	for at, onKey := range byPlace(leases) {
		sort.Slice(onKey, func(i, j int) bool { return onKey[i].begin < onKey[j].begin })
		var latest *lease
		for _, l := range onKey {
			if latest != nil && l.begin < latest.end && l.begin < l.end {
				text := fmt.Sprintf("%v began %.3f ms before the end of %v", l, ms(latest.end-l.begin), latest)
				violations = append(violations, Violation{ruleOf(l), at.key, text})
			}
			if latest == nil || l.end > latest.end {
				latest = l
			}
		}
	}
	return violations
}

func ruleOf(l *lease) string {
	if l.isTerm {
		return "two leaders"
	}
	return "overlap"
}

// refusedHolders finds writes that were refused to a holder whose lease was still valid when it had its answer: somebody newer
// had written already.
func refusedHolders(operations []Operation, leases []*lease) []Violation {
	held := map[holding]*lease{}
	for _, l := range leases {
		held[holding{l.process, l.at, l.token}] = l
	}
	var violations []Violation
	for _, o := range operations {
		if o.Op != "write" || o.Return == nil || o.succeeded() || o.Error != "STALE_TOKEN" {
			continue
		}
		if l := held[holding{o.Process, o.place(), *o.Token}]; l != nil && *o.Return < l.end {
			text := fmt.Sprintf("a write under %v was refused %.3f ms before its end", l, ms(l.end-*o.Return))
			violations = append(violations, Violation{"refused while valid", o.Key, text})
		}
	}
	return violations
}

// repeatedTokens finds a token that was granted twice in a group, on whatever key.
func repeatedTokens(leases []*lease) []Violation {
	type granted struct {
		group string
		token int64
	}
	first := map[granted]*lease{}
	var violations []Violation
	for _, l := range leases {
		id := granted{l.at.group, l.token}
		if other := first[id]; other != nil {
			violations = append(violations, Violation{"token twice", l.at.key, fmt.Sprintf("%v has the token of %v on %s", l, other, other.at.key)})
			continue
		}
		first[id] = l
	}
	return violations
}

// fallingTokens finds a grant that was asked for after another was in its holder's hands, and yet has no larger token.
func fallingTokens(leases []*lease) []Violation {
	var violations []Violation
	for _, ofGroup := range byGroup(leases) {
		granted, asked := sortedBy(ofGroup, func(l *lease) int64 { return l.begin }), sortedBy(ofGroup, func(l *lease) int64 { return l.call })
		var highest *lease
		next := 0
		for _, l := range asked {
			for ; next < len(granted) && granted[next].begin < l.call; next++ {
				if highest == nil || granted[next].token > highest.token {
					highest = granted[next]
				}
			}
			if highest != nil && l.token < highest.token {
				violations = append(violations, Violation{"token order", l.at.key, fmt.Sprintf("%v was asked for after %v on %s", l, highest, highest.at.key)})
			}
		}
	}
	return violations
}

// overtakers finds a grant that was asked for when another request was seen in the queue already, and yet came before it. A
// request that left the queue without a grant is nobody's predecessor.
func overtakers(leases []*lease) []Violation {
	var violations []Violation
	for at, onKey := range byPlace(leases) {
		var queued []*lease
		for _, l := range onKey {
			if l.queuedAt != nil {
				queued = append(queued, l)
			}
		}
		queued = sortedBy(queued, func(l *lease) int64 { return *l.queuedAt })
		var last *lease
		next := 0
		for _, l := range sortedBy(onKey, func(l *lease) int64 { return l.call }) {
			for ; next < len(queued) && *queued[next].queuedAt < l.call; next++ {
				if last == nil || queued[next].token > last.token {
					last = queued[next]
				}
			}
			if last != nil && l.token < last.token {
				violations = append(violations, Violation{"fifo", at.key, fmt.Sprintf("%v was asked for while %s waited, and came before %v", l, last.process, last)})
			}
		}
	}
	return violations
}

func sortedBy(leases []*lease, time func(*lease) int64) []*lease {
	sorted := append([]*lease(nil), leases...)
	sort.SliceStable(sorted, func(i, j int) bool { return time(sorted[i]) < time(sorted[j]) })
	return sorted
}

func byPlace(leases []*lease) map[place][]*lease {
	groups := map[place][]*lease{}
	for _, l := range leases {
		groups[l.at] = append(groups[l.at], l)
	}
	return groups
}

func byGroup(leases []*lease) map[string][]*lease {
	groups := map[string][]*lease{}
	for _, l := range leases {
		groups[l.at.group] = append(groups[l.at.group], l)
	}
	return groups
}

func ms(ns int64) float64 { return math.Round(float64(ns)/1e3) / 1e3 }
