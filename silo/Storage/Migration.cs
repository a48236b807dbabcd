using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace DataHub.Storage;

/// <summary>One step of a schema: <c>0001_name.sql</c>, numbered, forward only, never edited once merged.</summary>
internal sealed record Migration(int Number, string Name, string Sql)
{
    /// <summary>Of the text with any line ends, so that a checkout on another system is the same migration.</summary>
    public string Checksum { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));

    /// <summary>The migrations of a folder below <c>silo/Storage</c> in this program, by number.</summary>
    /// <param name="folder">With dots, such as <c>Sqlite.Migrations.Log</c>.</param>
    public static IReadOnlyList<Migration> Known(string folder)
    {
        var prefix = $"DataHub.Storage.{folder}.";
        var assembly = Assembly.GetExecutingAssembly();
        var known = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => Parse(name[prefix.Length..], Text(assembly, name)))
            .ToArray();
        for (var i = 0; i < known.Length; i++)
        {
            if (known[i].Number != i + 1) throw new InvalidOperationException($"Migration {i + 1} of {folder} is missing from the program.");
        }

        return known;
    }

    public static Migration Parse(string file, string sql)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        if (name.Length < 6 || name[4] != '_' || !int.TryParse(name.AsSpan(0, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            throw new InvalidOperationException($"The migration {file} is not named 0001_name.sql.");
        }

        return new(number, name[5..], sql);
    }

    private static string Text(Assembly assembly, string resource)
    {
        using var stream = assembly.GetManifestResourceStream(resource)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
