"use strict";
// Nothing is asked of another host, and no script comes from a blob: so there is no search.
const place = document.getElementById("api");
window.Redoc.init(place.dataset.document, { disableSearch: true, hideDownloadButton: false }, place);
