#!/usr/bin/env bash
# Redoc, which /redoc serves.
exec "$(dirname "${BASH_SOURCE[0]}")/npm_files.sh" redoc redoc 2.5.4 \
    M6jWhG1qoBnH6TFmzJnstyCZ87HmOY/UzDm78mHiYihEdlV/YcS9ogOo1NlElnJMeLsyxHFe2yFc4sNjHTrABQ== \
    bundles/redoc.standalone.js bundles/redoc.standalone.js.LICENSE.txt LICENSE
