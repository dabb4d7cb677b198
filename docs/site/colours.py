# colours.py - how code is coloured, on light and on dark ground. tools/check-site measures the contrast.
from pygments.style import Style
from pygments.token import Comment, Error, Generic, Keyword, Literal, Name, Number, Operator, Punctuation, String, Text


def styles(text, comment, keyword, string, number, function, preprocessor):
    """The colours of all kinds of words from seven."""
    return {Text: text, Punctuation: text, Operator: text, Name: text, Error: text, Generic: text, Literal: number,
            Comment: "italic " + comment, Comment.Preproc: "noitalic " + preprocessor,
            Comment.PreprocFile: "noitalic " + string, Keyword: keyword, Keyword.Type: keyword, String: string,
            Number: number, Name.Function: function, Name.Class: function, Name.Builtin: keyword,
            Name.Decorator: preprocessor, Name.Variable: function, Name.Attribute: function}


class Light(Style):
    background_color = "#f8f9fb"
    styles = styles("#1f2328", "#5b6570", "#8a2f86", "#1d6433", "#9a4600", "#15518c", "#7a4d00")


class Dark(Style):
    background_color = "#1a1e23"
    styles = styles("#dfe5ec", "#9aa7b4", "#e39be0", "#8fd19e", "#f2b27a", "#8cc4f5", "#e3c27a")
