package main

import (
	"fmt"
	"math"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// A register of the guarded store: it takes a write whose token is not below the highest it took, refuses any other, and reads as
// the last value it took.
type registerState struct {
	token int64
	value int64
	isSet bool
}

type registerInput struct {
	isWrite bool
	token   int64
	value   int64
}

// registerOutput of an operation whose outcome is unknown says so: it may have come at any time after its call, or never, which
// is the same as after everything else.
type registerOutput struct {
	isKnown  bool
	accepted bool
	value    *int64
}

var registerModel = porcupine.Model{
	Init: func() interface{} { return registerState{} },
	Step: func(state, input, output interface{}) (bool, interface{}) {
		return stepRegister(state.(registerState), input.(registerInput), output.(registerOutput))
	},
	DescribeOperation: func(input, output interface{}) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

func stepRegister(state registerState, in registerInput, out registerOutput) (bool, registerState) {
	if !in.isWrite {
		if out.value == nil {
			return !state.isSet, state
		}
		return state.isSet && state.value == *out.value, state
	}
	isTaken := in.token >= state.token
	if out.isKnown && out.accepted != isTaken {
		return false, state
	}
	if isTaken {
		state = registerState{in.token, in.value, true}
	}
	return true, state
}

type outcome int

const (
	isLegal outcome = iota
	isIllegal
	isUnknown
)

type register struct {
	at         place
	operations []porcupine.Operation
}

// registersIn parts the history by key: registers do not share anything, and small histories are decided at once.
func registersIn(operations []Operation) []register {
	byPlace := map[place][]porcupine.Operation{}
	clients := map[string]int{}
	for _, o := range operations {
		if o.Op != "write" && o.Op != "read" {
			continue
		}
		if _, known := clients[o.Process]; !known {
			clients[o.Process] = len(clients)
		}
		if converted, counts := registerOperation(o, clients[o.Process]); counts {
			byPlace[o.place()] = append(byPlace[o.place()], converted)
		}
	}
	registers := make([]register, 0, len(byPlace))
	for at, found := range byPlace {
		registers = append(registers, register{at, found})
	}
	sort.Slice(registers, func(i, j int) bool {
		a, b := registers[i].at, registers[j].at
		return a.group < b.group || a.group == b.group && a.key < b.key
	})
	return registers
}

// A read without an answer says nothing. A write that failed for another reason than its token may have been taken or not.
func registerOperation(o Operation, client int) (porcupine.Operation, bool) {
	converted := porcupine.Operation{ClientId: client, Call: *o.Call, Return: math.MaxInt64}
	isRefused := o.Op == "write" && o.Return != nil && !*o.OK && o.Error == "STALE_TOKEN"
	if o.Op == "read" {
		if !o.succeeded() {
			return converted, false
		}
		converted.Input = registerInput{}
		converted.Output = registerOutput{isKnown: true, value: o.Value}
		converted.Return = *o.Return
		return converted, true
	}
	converted.Input = registerInput{isWrite: true, token: *o.Token, value: *o.Value}
	isKnown := o.succeeded() || isRefused
	converted.Output = registerOutput{isKnown: isKnown, accepted: o.succeeded()}
	if isKnown {
		converted.Return = *o.Return
	}
	return converted, true
}

func (r register) check(timeout time.Duration) (outcome, Violation) {
	switch porcupine.CheckOperationsTimeout(registerModel, r.operations, timeout) {
	case porcupine.Illegal:
		return isIllegal, Violation{"register", r.at.key, fmt.Sprintf("no order explains its %d operations", len(r.operations))}
	case porcupine.Unknown:
		return isUnknown, Violation{"unknown", r.at.key, fmt.Sprintf("its %d operations were not decided within %v", len(r.operations), timeout)}
	default:
		return isLegal, Violation{}
	}
}
