namespace DataHub.Catalog;

/// <summary>What must be true of a schema as a whole before its fields are compiled one by one.</summary>
internal static class ContractCheck
{
    private static readonly FieldRole[] AtMostOnce =
        [FieldRole.Time, FieldRole.Area, FieldRole.Longitude, FieldRole.Latitude, FieldRole.Opened, FieldRole.Closed, FieldRole.Revision];

    public static List<ContractProblem> Check(TableSchema schema, DatasetKind kind)
    {
        var problems = new List<ContractProblem>();
        Names(schema, problems);
        if (problems.Count > 0) return problems;
        Key(schema, problems);
        foreach (var field in schema.Fields) Role(field, kind, problems);
        Roles(schema, kind, problems);
        Words(null, "missingValues", schema.MissingValues, problems);
        if (schema.MaxFuture < TimeSpan.Zero || schema.MaxFuture > ContractLimits.MaxFuture)
        {
            problems.Add(new(null, ContractCodes.InvalidMaxFuture, new(
                $"maxFuture muss zwischen 0 und {ContractLimits.MaxFuture.TotalDays:0} Tagen liegen.",
                $"maxFuture must lie between 0 and {ContractLimits.MaxFuture.TotalDays:0} days.")));
        }

        return problems;
    }

    public static void Words(string? field, string member, string[]? words, List<ContractProblem> problems)
    {
        if (words is null) return;
        if (words.Length > ContractLimits.Words || words.Any(w => w.Length > ContractLimits.WordLength))
        {
            problems.Add(new(field, ContractCodes.InvalidWords, new(
                $"{member} hat höchstens {ContractLimits.Words} Einträge zu je höchstens {ContractLimits.WordLength} Zeichen.",
                $"{member} has at most {ContractLimits.Words} entries of at most {ContractLimits.WordLength} characters each.")));
        }
    }

    private static void Names(TableSchema schema, List<ContractProblem> problems)
    {
        if (schema.Fields.Length == 0)
        {
            problems.Add(new(null, ContractCodes.NoFields, new("Das Schema hat kein Feld.", "The schema has no field.")));
            return;
        }

        if (schema.Fields.Length > ContractLimits.Fields)
        {
            problems.Add(new(null, ContractCodes.TooManyFields, new(
                $"Das Schema hat {schema.Fields.Length} Felder; höchstens {ContractLimits.Fields} sind erlaubt.",
                $"The schema has {schema.Fields.Length} fields; at most {ContractLimits.Fields} are allowed.")));
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in schema.Fields)
        {
            if (!IsName(field.Name))
            {
                problems.Add(new(field.Name, ContractCodes.InvalidName, new(
                    $"Feldnamen haben 1 bis {ContractLimits.NameLength} Zeichen, keine Steuerzeichen, keinen Leerraum am Rand und beginnen nicht mit @.",
                    $"Field names have 1 to {ContractLimits.NameLength} characters, no control characters, no space at either end, and do not begin with @.")));
            }
            else if (!seen.Add(field.Name))
            {
                problems.Add(new(field.Name, ContractCodes.DuplicateField, new(
                    $"Das Feld „{field.Name}“ steht zweimal im Schema.", $"The field \"{field.Name}\" stands in the schema twice.")));
            }
        }
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= ContractLimits.NameLength && name[0] != '@'
        && !char.IsWhiteSpace(name[0]) && !char.IsWhiteSpace(name[^1])
        && !name.Any(char.IsControl) && !HasLoneSurrogate(name);

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
            i++;
        }

        return false;
    }

    private static void Key(TableSchema schema, List<ContractProblem> problems)
    {
        if (schema.PrimaryKey.Length == 0)
        {
            problems.Add(new(null, ContractCodes.NoPrimaryKey, new(
                "Das Schema braucht einen primaryKey: an ihm werden Wiederholungen und Korrekturen erkannt.",
                "The schema needs a primaryKey: repeats and corrections are recognised by it.")));
            return;
        }

        if (schema.PrimaryKey.Length > ContractLimits.KeyFields)
        {
            problems.Add(new(null, ContractCodes.TooManyKeyFields, new(
                $"Der primaryKey hat {schema.PrimaryKey.Length} Felder; höchstens {ContractLimits.KeyFields} sind erlaubt.",
                $"The primaryKey has {schema.PrimaryKey.Length} fields; at most {ContractLimits.KeyFields} are allowed.")));
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in schema.PrimaryKey)
        {
            var field = Array.Find(schema.Fields, f => f.Name == name);
            if (field is null)
            {
                problems.Add(new(name, ContractCodes.UnknownKeyField, new(
                    $"Der primaryKey nennt „{name}“, aber kein Feld heißt so.", $"The primaryKey names \"{name}\", but no field is called so.")));
            }
            else if (!seen.Add(name))
            {
                problems.Add(new(name, ContractCodes.DuplicateKeyField, new(
                    $"Der primaryKey nennt „{name}“ zweimal.", $"The primaryKey names \"{name}\" twice.")));
            }
            else if (!CanName(field.Type))
            {
                problems.Add(new(name, ContractCodes.KeyFieldType, new(
                    $"Ein Feld vom Typ {Word(field.Type)} kann nicht Teil des Schlüssels sein.", $"A field of type {Word(field.Type)} cannot be part of the key.")));
            }
            else if (field.Role is FieldRole.Personal or FieldRole.Revision or FieldRole.Measure or FieldRole.Closed)
            {
                problems.Add(new(name, ContractCodes.KeyFieldRole, new(
                    $"Ein Feld mit der Rolle {Word(field.Role)} kann nicht Teil des Schlüssels sein.", $"A field with role {Word(field.Role)} cannot be part of the key.")));
            }
        }
    }

    private static void Role(FieldSpec field, DatasetKind kind, List<ContractProblem> problems)
    {
        var fits = field.Role switch
        {
            FieldRole.Time or FieldRole.Opened or FieldRole.Closed => field.Type is FieldType.DateTime or FieldType.Date,
            FieldRole.Area => field.Type is FieldType.String,
            FieldRole.Longitude or FieldRole.Latitude => field.Type is FieldType.Number,
            FieldRole.Measure => field.Type is FieldType.Number or FieldType.Integer,
            FieldRole.Series => CanName(field.Type),
            FieldRole.Dimension => CanName(field.Type) && field.Type is not FieldType.Number,
            FieldRole.Revision => field.Type is FieldType.Integer or FieldType.Number or FieldType.DateTime or FieldType.Date,
            _ => true,
        };
        if (!fits)
        {
            problems.Add(new(field.Name, ContractCodes.RoleType, new(
                $"Die Rolle {Word(field.Role)} verträgt den Typ {Word(field.Type)} nicht; erlaubt: {TypesFor(field.Role)}.",
                $"The role {Word(field.Role)} does not go with type {Word(field.Type)}; allowed: {TypesFor(field.Role)}.")));
        }

        if ((kind == DatasetKind.Observations && field.Role is FieldRole.Opened or FieldRole.Closed)
            || (kind == DatasetKind.Records && field.Role is FieldRole.Series))
        {
            problems.Add(new(field.Name, ContractCodes.RoleKind, new(
                $"Die Rolle {Word(field.Role)} gibt es nicht in einem Datensatz der Art {Word(kind)}.",
                $"There is no role {Word(field.Role)} in a dataset of kind {Word(kind)}.")));
        }
    }

    private static void Roles(TableSchema schema, DatasetKind kind, List<ContractProblem> problems)
    {
        foreach (var role in AtMostOnce)
        {
            var fields = schema.Fields.Where(f => f.Role == role).Select(f => f.Name).ToArray();
            if (fields.Length > 1)
            {
                problems.Add(new(fields[1], ContractCodes.RoleTwice, new(
                    $"Die Rolle {Word(role)} haben mehrere Felder ({string.Join(", ", fields)}); nur eines darf sie haben.",
                    $"Several fields have the role {Word(role)} ({string.Join(", ", fields)}); only one may.")));
            }
        }

        if (kind == DatasetKind.Observations && !schema.Fields.Any(f => f.Role == FieldRole.Time))
        {
            problems.Add(new(null, ContractCodes.NoTimeField, new(
                "Beobachtungen brauchen ein Feld mit der Rolle time.", "Observations need a field with role time.")));
        }

        if (schema.Fields.Any(f => f.Role == FieldRole.Longitude) != schema.Fields.Any(f => f.Role == FieldRole.Latitude))
        {
            problems.Add(new(null, ContractCodes.PointIncomplete, new(
                "longitude und latitude gehören zusammen: Es fehlt eines der beiden Felder.",
                "longitude and latitude belong together: one of the two fields is missing.")));
        }
    }

    /// <summary>Types whose values can be compared and told apart at a glance: for keys, series and dimensions.</summary>
    private static bool CanName(FieldType type) => type is not
        (FieldType.Object or FieldType.Array or FieldType.GeoJson or FieldType.GeoPoint or FieldType.Any or FieldType.Duration);

    private static string TypesFor(FieldRole role) => role switch
    {
        FieldRole.Time or FieldRole.Opened or FieldRole.Closed => "datetime, date",
        FieldRole.Area => "string",
        FieldRole.Longitude or FieldRole.Latitude => "number",
        FieldRole.Measure => "number, integer",
        FieldRole.Dimension => "string, integer, boolean, date, time, datetime, year, yearmonth",
        FieldRole.Revision => "integer, number, datetime, date",
        _ => "string, number, integer, boolean, date, time, datetime, year, yearmonth",
    };

    internal static string Word<T>(T value) where T : struct, Enum => ContractWords.Of(value);
}
