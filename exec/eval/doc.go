// Package eval compiles typed expressions into evaluators over rows.
//
// A tree becomes a tree of closures, one closure type a slot class (see [types.Row]): no value is boxed and nothing is
// allocated for the scalar classes. Literals and columns are operands of their parent, not closures of their own, and
// what is constant is computed once.
//
// Errors follow ksqlDB. An error anywhere makes the whole output column null and is reported; the row lives on. Some
// places are guarded (ksql.nested.error.set.null, on by default): an argument that is itself a function call or a struct
// dereference, every CAST, every item of ARRAY[], MAP() and STRUCT(); there the error is reported and only that place
// becomes null. Comparisons know two values: with a null operand they are false.
//
// Evaluators are single-threaded. Byte strings they produce may lie in scratch memory that the same evaluator
// overwrites the next time it runs.
package eval
