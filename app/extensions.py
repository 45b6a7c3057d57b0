"""Flask extensions, made here and bound in ``create_app``. Imports no room."""

from __future__ import annotations

from flask_appbuilder import Model
from flask_appbuilder.models.sqla.base import SQLA
from flask_bootstrap import Bootstrap5
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect

# Names every constraint, so that migrations can find it on both databases. Before any model is imported.
Model.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

db = SQLA()
# Without this line autogenerate would drop every table that Flask-AppBuilder's base holds.
db.metadatas[None] = Model.metadata

migrate = Migrate()
csrf = CSRFProtect()
bootstrap = Bootstrap5()
