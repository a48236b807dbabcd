using Orleans.Serialization;

namespace DataHub.Hosting;

/// <summary>A silo's database did not answer or refused; the same request may succeed soon.</summary>
internal sealed class StoreException : Exception;

/// <summary>What a silo's database driver throws arrives as <see cref="StoreException"/>: a front-end has no driver and no such types.</summary>
internal sealed class StoreExceptions : ITypeConverter
{
    private const string Driver = "Npgsql.";

    public bool TryFormat(Type type, out string formatted)
    {
        formatted = null!;
        return false;
    }

    public bool TryParse(string formatted, out Type type)
    {
        type = formatted.StartsWith(Driver, StringComparison.Ordinal) ? typeof(StoreException) : null!;
        return type is not null;
    }
}
