"""Kinds of answer, one file per type.

Everything the product knows about a type stands in its class: how text becomes a value, column, widget,
print text, sample. It is the only room where SQLAlchemy and WTForms meet. It knows no declaration.
"""
