/* search.js - changes to the search: what a name declares comes first, and each page says what it is about. */
Scorer.objNameMatch = 200;

/* Pages that say how something is used come before those that show files and decisions. */
Scorer.score = ([page, title, anchor, description, score]) =>
    score - (/\.[a-z]+$/.test(page) ? 12 : /decisions|ARCHITECTURE|CHANGELOG/.test(page) ? 6 : 0);

/* The index has an entry for every name, which the search would show beside the same name's declaration. */
const setIndex = Search.setIndex;
Search.setIndex = index => setIndex({ ...index, indexentries: {} });

/* A result is [page, title, anchor, description, score, file]. */
const performTermsSearch = Search.performTermsSearch;
Search.performTermsSearch = (...terms) =>
    performTermsSearch(...terms).map(([page, title, anchor, description, ...rest]) =>
        [page, title, anchor, description || SUMMARIES[page], ...rest]);
