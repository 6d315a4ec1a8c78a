//! What is asked of a model, in terms that every dialect can be decoded into. Long texts and media borrow from the
//! client's body, so that a large image is never copied on its way. What a field looks like on either wire is not known here.
