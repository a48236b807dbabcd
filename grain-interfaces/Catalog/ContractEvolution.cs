namespace DataHub.Catalog;

/// <summary>How a contract may change while its rows stay.</summary>
public static class ContractEvolution
{
    /// <summary>
    /// The wanted schema with the standing one's fields first and in their places, so that ordinals never change; new
    /// fields follow in the order in which they were written. Fields that are gone are simply missing:
    /// <see cref="CompiledContract.CanFollow"/> says so.
    /// </summary>
    public static TableSchema Arrange(TableSchema wanted, TableSchema standing)
    {
        var fields = new List<FieldSpec>(wanted.Fields.Length);
        foreach (var old in standing.Fields)
            if (Array.Find(wanted.Fields, f => f.Name == old.Name) is { } kept) fields.Add(kept);
        foreach (var field in wanted.Fields)
            if (!Array.Exists(standing.Fields, f => f.Name == field.Name)) fields.Add(field);
        return wanted with { Fields = [.. fields] };
    }

    /// <summary>Whether two schemas say the same, whatever their version.</summary>
    public static bool Same(TableSchema a, TableSchema b) =>
        a.MaxFuture == b.MaxFuture && a.PrimaryKey.SequenceEqual(b.PrimaryKey) && a.MissingValues.SequenceEqual(b.MissingValues)
        && a.Fields.Length == b.Fields.Length && a.Fields.Zip(b.Fields).All(pair => Same(pair.First, pair.Second));

    internal static List<ContractProblem> Breaks(TableSchema older, DatasetKind olderKind, TableSchema newer, DatasetKind newerKind)
    {
        var problems = new List<ContractProblem>();
        if (olderKind != newerKind)
            Break(null, "Die Art des Datensatzes kann sich nicht ändern.", "A dataset's kind cannot change.");
        if (!older.PrimaryKey.SequenceEqual(newer.PrimaryKey))
        {
            Break(null, $"Der primaryKey kann sich nicht ändern; er ist {string.Join(", ", older.PrimaryKey)}.",
                $"The primaryKey cannot change; it is {string.Join(", ", older.PrimaryKey)}.");
        }

        for (var i = 0; i < older.Fields.Length; i++)
        {
            var was = older.Fields[i];
            var place = Array.FindIndex(newer.Fields, f => f.Name == was.Name);
            if (place < 0)
                Break(was.Name, "Ein Feld kann nicht wegfallen; es darf leer bleiben.", "A field cannot go; it may stay empty.");
            else if (place != i)
                Break(was.Name, "Bestehende Felder behalten ihren Platz; neue folgen ihnen.", "Existing fields keep their place; new ones follow them.");
            else
                Field(was, newer.Fields[i]);
        }

        foreach (var added in newer.Fields.Where(f => !Array.Exists(older.Fields, o => o.Name == f.Name)))
        {
            if (added.Constraints.Required)
                Break(added.Name, "Ein neues Feld darf nicht required sein: Bestehende Zeilen haben es nicht.", "A new field may not be required: rows that stand do not have it.");
            if (added.Role is FieldRole.Time or FieldRole.Opened or FieldRole.Series or FieldRole.Revision)
                Break(added.Name, $"Die Rolle {ContractCheck.Word(added.Role)} kann nicht nachträglich hinzukommen.", $"The role {ContractCheck.Word(added.Role)} cannot be added later.");
        }

        return problems;

        void Break(string? field, string de, string en) => problems.Add(new(field, ContractCodes.BreakingChange, new(de, en)));

        void Field(FieldSpec was, FieldSpec now)
        {
            if (was.Type != now.Type)
                Break(was.Name, $"Der Typ kann sich nicht ändern; er ist {ContractCheck.Word(was.Type)}.", $"The type cannot change; it is {ContractCheck.Word(was.Type)}.");
            // A field without a role may become a measure or a dimension: nothing has been said with it yet.
            if (was.Role != now.Role && !(was.Role == FieldRole.None && now.Role is FieldRole.Measure or FieldRole.Dimension))
                Break(was.Name, $"Die Rolle kann sich nicht ändern; sie ist {ContractCheck.Word(was.Role)}.", $"The role cannot change; it is {ContractCheck.Word(was.Role)}.");
            // The zone says when a stored day begins; for instants it only helps to read what comes.
            if (was.Type == FieldType.Date && was.Role is FieldRole.Time or FieldRole.Opened or FieldRole.Closed
                && (was.TimeZone ?? CompiledContract.DefaultTimeZone) != (now.TimeZone ?? CompiledContract.DefaultTimeZone))
                Break(was.Name, "Die timeZone eines Tages in der Rolle time kann sich nicht ändern.", "The timeZone of a day in role time cannot change.");
        }
    }

    private static bool Same(FieldSpec a, FieldSpec b) =>
        a with { Constraints = FieldConstraints.None, TrueValues = null, FalseValues = null }
            == b with { Constraints = FieldConstraints.None, TrueValues = null, FalseValues = null }
        && a.Constraints with { Enum = null } == b.Constraints with { Enum = null }
        && Same(a.Constraints.Enum, b.Constraints.Enum) && Same(a.TrueValues, b.TrueValues) && Same(a.FalseValues, b.FalseValues);

    private static bool Same(string[]? a, string[]? b) => a is null ? b is null : b is not null && a.SequenceEqual(b);
}
